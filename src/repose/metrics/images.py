"""Metrics of person images and flows, in the order of scores and tables; docs/flow.md explains each of them.

Their functions are called with attributes of `repose.score.images.GeneratedImages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from repose.images.inception_splits import FASHION_SPLITS, in_splits
from repose.metrics.metric import Metric

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class InceptionScore(Metric):
    """An Inception score (Salimans et al., 2016); the scores hold its logarithm, image by image.

    The function is called once for each split, with the logits of its images. It returns for each image, in nats, the
    KL divergence of its classes from those of all images of the split together. A table shows the exponential of the
    mean divergence, averaged over the splits.

    Attributes:
        splits: number of splits of equal size, in the order of the names of the images.
    """

    splits: int = 1

    @property
    def heading(self) -> str:
        """The title without a unit, as an exponential has none."""
        return self.title

    def number(self, scores: pd.DataFrame) -> float:
        """Return the number in a table; `scores` also has the columns source_image and target_image."""
        rows = scores[scores.metric == self.name]
        if rows.empty:
            return float("nan")
        nats = rows.value.to_numpy()
        splits = in_splits((rows.source_image + "_" + rows.target_image).tolist(), self.splits)
        return float(np.mean([np.exp(nats[split].mean()) for split in splits]))


RECALLS = (5, 20)
"""How many of the likeliest attributes AttrRec-k and RenderAttrRec-k look at."""

_MATHS = "repose.images.metrics"
_SURPRISE = f"{_MATHS}:surprise_nats"

METRICS: tuple[Metric, ...] = (
    Metric("ssim_u7", "SSIM (7×7)", f"{_MATHS}:ssim_u7", ("image", "target"), "higher"),
    Metric("ssim_g15", "SSIM (Gauss)", f"{_MATHS}:ssim_g15", ("image", "target"), "higher"),
    Metric(
        "masked_ssim_u7", "SSIM of the person", f"{_MATHS}:masked_ssim_u7", ("image", "target", "person"), "higher",
    ),
    Metric("skeleton_ssim_u7", "masked SSIM", f"{_MATHS}:cut_ssim_u7", ("image", "target", "skeleton"), "higher"),
    Metric("psnr_db", "PSNR", f"{_MATHS}:psnr_db", ("image", "target"), "higher", unit="dB"),
    Metric("l1", "L1", f"{_MATHS}:mean_absolute", ("image", "target"), "lower", shown_in=()),
    InceptionScore("render_is_nats", "RenderIS", _SURPRISE, ("kinds",), "higher", unit="nats", column="render_is"),
    InceptionScore(
        "masked_render_is_nats", "RenderIS of the person", _SURPRISE, ("person_kinds",), "higher",
        unit="nats", column="masked_render_is", shown_in=(),
    ),
    *(
        Metric(
            f"render_attr_recall_{k}", f"RenderAttrRec-{k}", f"{_MATHS}:recall_at", ("attributes", "true_attributes"),
            "higher", options={"k": k},
        )
        for k in RECALLS
    ),
    InceptionScore(
        "fashion_is_nats", "FashionIS", _SURPRISE, ("published_kinds",), "higher",
        unit="nats", column="fashion_is", splits=FASHION_SPLITS,
    ),
    *(
        Metric(
            f"attr_recall_{k}", f"AttrRec-{k}", "repose.score.images:recall_or_one",
            ("published_attributes", "published_truth"), "higher", options={"k": k},
        )
        for k in RECALLS
    ),
    Metric("epe_px", "EPE", f"{_MATHS}:end_point_error_px", ("flow", "true_flow", "foreground"), "lower", unit="px"),
    Metric(
        "epe_visible_px", "EPE where visible", f"{_MATHS}:end_point_error_px", ("flow", "true_flow", "visible"),
        "lower", unit="px", shown_in=(),
    ),
    Metric(
        "warp_psnr_db", "warp PSNR", f"{_MATHS}:warp_psnr_db", ("source", "flow", "target", "visible"), "higher",
        unit="dB",
    ),
    Metric(  # the largest value that a warp can reach
        "exact_warp_psnr_db", "exact warp PSNR", f"{_MATHS}:warp_psnr_db", ("source", "true_flow", "target", "visible"),
        "neither", unit="dB", shown_in=(),
    ),
    Metric(
        "visibility_iou", "visibility IoU", f"{_MATHS}:visibility_iou", ("visibility", "true_visibility"), "higher",
    ),
)  # fmt: skip
