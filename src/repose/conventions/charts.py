"""Charts of the study: how ranks change between conventions, and how each convention measures known errors."""

import io

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

COLOURS = matplotlib.colormaps["tab20"]


def bump_chart(ranking: pd.DataFrame) -> bytes:
    """Draw a panel for each list: the rank of each method (vertical) under each convention (horizontal).

    Args:
        ranking: `repose.conventions.study.ranking`.

    Returns:
        A PNG, which is the same for the same ranks.
    """
    lists = list(ranking.groupby(["dataset", "protocol"], sort=False))
    count = ranking.method.nunique()
    figure = Figure(figsize=(15, len(lists) * (1.6 + 0.3 * count)), layout="constrained")
    axes = figure.subplots(len(lists), squeeze=False)[:, 0]
    for axis, (place, rows) in zip(axes, lists, strict=True):
        _bumps(axis, rows)
        axis.set_title(", ".join(map(str, place)))
    return _png(figure)


def _bumps(axis: Axes, rows: pd.DataFrame) -> None:
    titles = [_head(*pair) for pair in rows[["convention", "title"]].drop_duplicates().to_numpy()]
    across = np.arange(len(titles))
    for number, (method, own) in enumerate(rows.groupby("method", sort=False)):
        colour = COLOURS(number % COLOURS.N)
        axis.plot(across, own["rank"], "o-", color=colour, linewidth=2, markersize=6)
        first, last = own.iloc[0], own.iloc[-1]
        axis.plot([0, 0], [first.rank_low, first.rank_high], color=colour, linewidth=5, alpha=0.25)
        axis.annotate(str(method), (-0.2, first["rank"]), ha="right", va="center", color=colour)
        axis.annotate(str(method), (across[-1] + 0.2, last["rank"]), va="center", color=colour)
    axis.set_xticks(across, titles, fontsize=8)
    axis.set_xlim(-3.2, across[-1] + 3.2)
    axis.set_yticks(range(1, rows.method.nunique() + 1))
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right", "left"]].set_visible(False)


def panel(seen: pd.DataFrame) -> bytes:
    """Draw a panel for each dataset: the ratio of each known error to the error of noise, under each convention.

    Args:
        seen: `repose.conventions.sensitivity.sensitivity`, with a column dataset.

    Returns:
        A PNG, which is the same for the same numbers.
    """
    datasets = list(seen.groupby("dataset", sort=False))
    changes = seen.change.nunique()
    figure = Figure(figsize=(13, len(datasets) * (1.5 + 0.4 * changes)), layout="constrained")
    axes = figure.subplots(len(datasets), squeeze=False)[:, 0]
    for axis, (dataset, rows) in zip(axes, datasets, strict=True):
        wide = rows.pivot_table(index="change", columns="convention", values="times", sort=False)
        axis.imshow(np.maximum(wide, 1e-2), cmap="magma_r", norm=LogNorm(0.01, 100), aspect="auto")
        for (i, j), times in np.ndenumerate(wide.to_numpy()):
            ink = "white" if times > 0.5 else "black"
            axis.text(j, i, f"{times:.2g}", ha="center", va="center", color=ink, fontsize=8)
        titles = dict(rows[["convention", "title"]].drop_duplicates().to_numpy())
        axis.set_xticks(range(len(wide.columns)), [_head(c, titles[c]) for c in wide.columns], fontsize=8)
        axis.set_yticks(range(len(wide)), wide.index)
        axis.set_title(f"{dataset}: times the error of noise of 5 mm")
    return _png(figure)


def _head(code: str, title: str) -> str:
    return f"{code}\n{title}".replace(" ", "\n")


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()
