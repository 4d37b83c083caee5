"""A metric as a row of a list, and the computation of such metrics for a sample of predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal

from repose.errors import ReposeError

if TYPE_CHECKING:
    import pandas as pd

    from repose.medium import Medium

Better = Literal["lower", "higher", "near 1/2", "neither"]


@dataclass(frozen=True)
class Metric:
    """A measure of predictions.

    Attributes:
        name: the name in the scores, which ends in the unit.
        title: the heading in Markdown tables, without the unit.
        function: `module:name` of the function that computes it, imported at the first call.
        of: the quantities that the function is called with, in the order of its parameters. Each is an attribute of the
            sample of a medium, such as `repose.score.meshes.Transfers`.
        better: which values are better; `neither` for reference values.
        unit: the unit of a score; empty for a plain number.
        column: the column in the CSV of a table; if empty, it is the name.
        factor: factor by which tables multiply the mean score.
        options: further arguments of the function, by their names.
        shown_in: media of the tables whose Markdown shows the metric. Their CSV has every metric.
    """

    name: str
    title: str
    function: str
    of: tuple[str, ...]
    better: Better
    unit: str = ""
    column: str = ""
    factor: float = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    shown_in: tuple[Medium, ...] = ("meshes", "images", "poses")

    def __post_init__(self) -> None:
        if not self.column:
            object.__setattr__(self, "column", self.name)

    @property
    def heading(self) -> str:
        """The title with the unit of tables, such as `PMD (1e-4 m²)`."""
        scale = "" if self.factor == 1 else f"{1 / self.factor:.0e}".replace("e-0", "e-")
        unit = " ".join(part for part in (scale, self.unit) if part)
        return f"{self.title} ({unit})" if unit else self.title

    def compute(self, *quantities: Any) -> Any:
        """Call the function with the quantities of one sample."""
        return resolve_name(self.function)(*quantities, **self.options)

    def number(self, scores: pd.DataFrame) -> float:
        """The number in a table, by the scores of one seed on one protocol.

        It is NaN where they have no such metric, or one of them is no number.

        Args:
            scores: at least the columns metric and value.
        """
        return scores.value[scores.metric == self.name].mean(skipna=False) * self.factor

    def is_improved(self, before: float, after: float) -> bool | None:
        """Return whether a number of a table became better; None if it did not change, or if no value is better."""
        if self.better == "neither" or before == after:
            return None
        if self.better == "near 1/2":
            return abs(after - self.factor / 2) < abs(before - self.factor / 2)
        return (after < before) == (self.better == "lower")


def modules_of(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Return the modules that compute some metrics: a part of the code behind their scores that no import shows."""
    return tuple(sorted({metric.function.partition(":")[0] for metric in metrics}))


def quantities_of(metric: Metric, sample: object) -> list[Any] | None:
    """Return the quantities that the function of a metric is called with; None if the sample lacks one of them.

    Args:
        metric: the metric.
        sample: has the quantities of its medium as attributes; a missing quantity is None, such as the flow of a method
            that predicts none.

    Raises:
        ReposeError: the metric needs a quantity that such samples never have.
    """
    quantities = []
    for name in metric.of:
        if name not in dir(sample):
            known = ", ".join(name for name in dir(sample) if not name.startswith("_"))
            raise ReposeError(
                f"metric {metric.name!r}: {type(sample).__name__} have no {name!r}", hint=f"they have {known}"
            )
        if (quantity := getattr(sample, name)) is None:
            return None  # stop before the next quantity is computed in vain
        quantities.append(quantity)
    return quantities


def measured(metrics: Iterable[Metric], sample: object) -> dict[str, Any]:
    """Compute the metrics of a sample, by name; metrics with a missing quantity are left out.

    Raises:
        ReposeError: see `quantities_of`.
    """
    found = ((metric, quantities_of(metric, sample)) for metric in metrics)
    return {metric.name: metric.compute(*given) for metric, given in found if given is not None}
