"""Stage `motions`: recipes and weights → results/motions/{table}.csv, a row per motion and method, smoothed or not.

Methods see one frame at a time. Their predictions are smoothed over time; the acceleration error on motions of
validation bodies decides how much, for each method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from repose.config.models import Compute, Method
from repose.mesh.sequence import Frames, acceleration_error, smoothed
from repose.metrics.metric import measured
from repose.metrics.motions import METRICS
from repose.motions.clips import Clip, Clips, Moved, clips_of
from repose.predict.network import opened
from repose.provenance.making import making
from repose.provenance.manifest import Manifest
from repose.score.artefact import inputs_of
from repose.specs import Spec
from repose.tables.runs import six_digits
from repose.tables.shown import markdown_table

SIGMAS = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)  # widths of the Gaussian, frames; one is chosen
KEY = ["dataset", "motion", "identity", "moving", "method", "seed", "smoothed"]
_VAL_PAIRS = 1  # of validation bodies
ROUNDING = 1e-3  # of numbers that another machine computed


def run(spec: Spec, inputs: Mapping[str, Path], out: Path) -> None:
    """Predict and score the motions of the datasets of a table.

    Args:
        spec: what decides it: the runs of the table, the settings of their methods, the parts of the datasets.
        inputs: `raw:{dataset}`, and `run:{dataset}/{method}/seed{n}` of methods that learn.
        out: the CSV; its Markdown twin has means over the motions.

    Raises:
        ReposeError: a part has one identity alone, or a network predicts vertices that are no numbers.
    """
    with making(spec, out, inputs) as new:
        if new.finished:
            return
        rows = scored(spec.params, inputs)
        with new.file(out) as private:
            rows.to_csv(private, index=False)
        new.text(out.with_suffix(".md"), markdown(rows))
        new.describe = {"rows": len(rows)}


def scored(params: Mapping[str, Any], inputs: Mapping[str, Path]) -> pd.DataFrame:
    """The table: columns `KEY`, sigma_frames, and those of `repose.metrics.motions`."""
    rows: list[dict[str, Any]] = []
    for name, dataset in params["datasets"].items():
        val, test = (
            clips_of(dataset, inputs[f"raw:{name}"], part, params["frames"], pairs)
            for part, pairs in (("val", _VAL_PAIRS), ("test", params["pairs"]))
        )
        for clip in test.clips:
            truth = {"dataset": name, "method": "truth", "seed": 0, "smoothed": "no", "sigma_frames": 0.0}
            rows.append(truth | _row(clip, Moved(clip.truth, clip.truth)))
        for run_name in (run_name for run_name in params["runs"] if run_name.split("/")[0] == name):
            rows += _rows(run_name, params, inputs.get(f"run:{run_name}"), val, test)
    return pd.DataFrame(rows)[[*KEY, "sigma_frames", *(metric.name for metric in METRICS)]]


def _rows(
    name: str, params: Mapping[str, Any], model: Path | None, val: Clips, test: Clips
) -> Iterator[dict[str, Any]]:
    """Rows of one run: each motion as it was predicted, and smoothed."""
    dataset, method, seed = name.split("/")
    settings: Method = TypeAdapter(Method).validate_python(params["methods"][method])
    network, device = opened(settings, model, Compute.model_validate(params["compute"]))
    tried, found = (clips.predicted(network, device, name, settings.projection) for clips in (val, test))
    sigma = chosen(tried, val.clips)
    for clip, shapes in zip(test.clips, found, strict=True):
        for word, width in (("no", 0.0), ("yes", sigma)):
            of = {"dataset": dataset, "method": method, "seed": int(seed.removeprefix("seed"))}
            moved = Moved.of(smoothed(shapes, width), clip)
            yield of | {"smoothed": word, "sigma_frames": width} | _row(clip, moved)


def _row(clip: Clip, moved: Moved) -> dict[str, Any]:
    numbers = {name: six_digits(x) for name, x in measured(METRICS, moved).items()}
    return {"motion": clip.kind, "identity": clip.identity, "moving": clip.moving} | numbers


def chosen(predicted: Sequence[Frames], clips: Sequence[Clip]) -> float:
    """The width of the Gaussian with the least acceleration error over some motions, frames."""

    def error(sigma: float) -> float:
        moved = (Moved.of(smoothed(x, sigma), clip) for x, clip in zip(predicted, clips, strict=True))
        return float(np.mean([acceleration_error(one.predicted, one.truth, one.rate) for one in moved]))

    return min(SIGMAS, key=error)


def markdown(rows: pd.DataFrame) -> str:
    """Means over the motions of each dataset and method, in the order of the rows."""
    names = [metric.name for metric in METRICS]
    by = ["dataset", "method", "seed", "smoothed"]
    means = rows.groupby(by, sort=False).agg(
        {"sigma_frames": "first", "motion": "size"} | dict.fromkeys(names, "mean")
    )
    lines = [
        [*map(str, key), f"{row.sigma_frames:g}", str(int(row.motion)), *(_cell(row[name]) for name in names)]
        for key, row in means.iterrows()
    ]
    heads = [*by, "sigma (frames)", "motions", *(metric.heading for metric in METRICS)]
    return "\n".join([markdown_table(heads, "l" * len(by) + "r" * (len(names) + 2), lines), "", _NOTE])


def _cell(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.4g}"


_NOTE = """\
Means over motions of test bodies; each frame is predicted alone and put where the mean of the truth's vertices is.
Smoothed: by a Gaussian over time whose width had the least acceleration error on motions of validation bodies. Lower is
better; `truth` has the foot slide of the true motions. docs/motions.md says more.
"""


def differs_from_inputs(made: Manifest) -> list[str]:
    """Predict and score again, and say whether the table is another one by more than rounding; nothing is hashed."""
    params = made.history["params"]
    csv = made.path.with_name(f"{params['table']}.csv")
    kept, fresh = pd.read_csv(csv), scored(params, inputs_of(made))
    if kept.columns.tolist() != fresh.columns.tolist() or not kept[KEY].equals(fresh[KEY]):
        return ["has other rows than its inputs give"]
    numbers = [name for name in fresh if name not in KEY]
    faults = []
    if not np.allclose(kept[numbers], fresh[numbers], rtol=ROUNDING, atol=1e-3, equal_nan=True):
        faults.append("has other numbers than its inputs give")
    if csv.with_suffix(".md").read_text(encoding="utf-8") != markdown(kept):
        faults.append("its Markdown twin does not say what the table says")
    return faults
