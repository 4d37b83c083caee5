"""Small charts as SVG that take the colours of the page."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.ticker import LogLocator, MaxNLocator

from repose.metrics.meshes import METRICS

WIDTH, HEIGHT, LEFT, FOOT = 340, 190, 52, 34


@dataclass(frozen=True)
class Mark:
    """A point or line of a chart.

    Attributes:
        x, y: position in the units of the axes.
        label: text that a reader sees.
        kind: its style class.
    """

    x: Sequence[float]
    y: Sequence[float]
    label: str
    kind: str


@dataclass(frozen=True)
class Chart:
    """Axes with their marks, ready for the template `chart` of `macros.html`.

    Attributes:
        title: title of the chart.
        across, up: labels of the axes.
        marks: with x and y in pixels.
        ticks_x, ticks_y: pixel and text of each.
    """

    title: str
    across: str
    up: str
    marks: list[Mark]
    ticks_x: list[tuple[float, str]]
    ticks_y: list[tuple[float, str]]


def learning_curve(name: str, seeds: dict[int, pd.DataFrame]) -> Chart | None:
    """Return the validation error over the steps of a training, one line per seed; None if nothing was validated."""
    titles = {f"val_{metric.name}": f"validation {metric.title} ({metric.unit})" for metric in METRICS}
    marks, column = [], ""
    for seed, history in sorted(seeds.items()):
        column = next((c for c in history.columns if str(c).startswith("val_")), "")
        if column:
            known = history.dropna(subset=[column])
            marks.append(
                Mark(known["step"].tolist(), known[column].tolist(), f"seed {seed}", f"line seed{seed % 4}")
            )
    return _chart(name, "step", titles.get(column, column.replace("_", " ")), marks, log_x=False)


def scatter(title: str, across: str, up: str, points: Sequence[tuple[str, float, float]]) -> Chart | None:
    """Return points (label, x, y) above 0 on logarithmic axes; None if there is nothing to compare."""
    marks = [Mark([x], [y], label, "dot") for label, x, y in points if x > 0 and y > 0]
    return _chart(title, across, up, marks, log_x=True) if len(marks) > 1 else None


def _chart(title: str, across: str, up: str, marks: list[Mark], log_x: bool) -> Chart | None:
    xs = [x for mark in marks for x in mark.x if math.isfinite(x)]
    ys = [y for mark in marks for y in mark.y if math.isfinite(y)]
    if not xs or not ys:
        return None
    log_y = min(ys) > 0
    place_x, ticks_x = _axis(min(xs), max(xs), log_x, LEFT, WIDTH - 14)
    place_y, ticks_y = _axis(min(ys), max(ys), log_y, HEIGHT - FOOT, 10)
    drawn = [
        replace(mark, x=[round(place_x(x), 1) for x in mark.x], y=[round(place_y(y), 1) for y in mark.y])
        for mark in marks
    ]
    return Chart(title, across, up, drawn, ticks_x, ticks_y)


def _axis(
    low: float, high: float, log: bool, start: float, end: float
) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """Return the map from values to pixels, and about three round values with their texts."""
    scale = math.log10 if log else float
    bottom, top = scale(low), scale(high)
    pad = (top - bottom) * 0.08 or abs(bottom) * 0.1 or 1
    bottom, top = bottom - (pad if log or low < 0 else min(pad, bottom)), top + pad

    def place(value: float) -> float:
        return start + (scale(value) - bottom) / (top - bottom) * (end - start)

    decades = top - bottom if log else 0
    if decades > 0.7:
        at = LogLocator(subs=(1,) if decades > 2.2 else (1, 2, 5), numticks=8).tick_values(
            10**bottom, 10**top
        )
    else:
        ends = (10**bottom, 10**top) if log else (bottom, top)
        at = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(*ends)
    inside = [float(value) for value in at if (value > 0 or not log) and bottom <= scale(value) <= top]
    return place, [(round(place(r), 1), f"{r:g}") for r in inside]
