"""The conventions: what each measures of a triple, what it averages over, and who uses it."""

from dataclasses import dataclass
from typing import Literal

from repose.metrics.conventions import METRICS
from repose.metrics.metric import Metric

_MEASURES = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class Convention:
    """One way to compute a number from many predictions. Lower is better in all of them.

    Attributes:
        code: number of the convention.
        measure: name of the metric of a triple, in `repose.metrics.conventions`.
        who: who uses it, or why it is included.
        over: what it averages over: all pairs; distinct truths; or identities, after averaging over the pairs of each.
        middle: mean or median.
    """

    code: str
    measure: str
    who: str
    over: Literal["pairs", "truths", "identities"] = "pairs"
    middle: Literal["mean", "median"] = "mean"

    @property
    def metric(self) -> Metric:
        """The metric of a triple."""
        return _MEASURES[self.measure]

    @property
    def title(self) -> str:
        """The name in charts."""
        if self.middle == "median":
            return "median"
        return self.metric.title if self.over == "pairs" else f"over {self.over}"

    @property
    def power(self) -> int:
        """The power of a length that its numbers have."""
        return 2 if self.measure.endswith("_m2") or self.measure == "by_height" else 1


CONVENTIONS = (
    Convention("C0", "own_box_m2", "NPT, 3D-CoreNet, X-DualNet, MAPConNet, CGT: the reference"),
    Convention("C1", "as_stored_m2", "WS3DPT, where loaders leave a mesh as it is stored"),
    Convention("C2", "truth_box_m2", "3D-PoseMAE and USPD: only the truth is centred"),
    Convention("C3", "means_m2", "the best translation, where vertices weigh alike"),
    Convention("C4", "rigid_m2", "the best translation and rotation"),
    Convention("C5", "unsquared_mm", "skeleton-free pose transfer, NJF, ARAPReg: a mean of distances"),
    Convention("C6", "own_box_m2", "the median of C0", middle="median"),
    Convention("C7", "by_area_m2", "C0 over the surface, whatever the density of vertices"),
    Convention("C8", "by_height", "skeleton-free pose transfer: bodies 1 high"),
    Convention("C9", "unit_sphere", "NJF: each mesh about its mean, its largest radius 1, unsquared"),
    Convention("C10", "p95_mm", "the worst parts, if not the worst vertex"),
    Convention("C11", "cd_m2", "MAPConNet, WS3DPT: both directions, squared, added"),
    Convention("C12", "cd_l1_mm", "NSDP: half the sum, unsquared; here of vertices"),
    Convention(
        "C13", "emd_mm", "exact earth mover's distance, on 250 vertices; published ones are not exact"
    ),
    Convention("C14", "edges_identity", "losses of NPT and its line; distortion of the identity's edges"),
    Convention("C15", "edges_truth", "AniFormer: distortion against the truth's edges"),
    Convention("C16", "own_box_m2", "C0 with each truth once, however many rows have it", over="truths"),
    Convention("C18", "own_box_m2", "the mean of each identity's mean C0", over="identities"),
)
"""As numbered in docs/conventions.md. C17 is C0 on another list: `repose.conventions.study.between_lists`."""

REFERENCE = CONVENTIONS[0]
CLAIMED = ("C0", "C4", "C7", "C10")
"""Under all of these a method must be better than another for that to be claimed."""
