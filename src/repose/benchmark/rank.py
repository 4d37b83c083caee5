"""The ranking of a versioned list: baselines, this repository's methods and submissions, track by track."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from repose import specs
from repose.benchmark import VERSION
from repose.benchmark.lists import is_released
from repose.benchmark.score import About
from repose.benchmark.variants import numbers_of
from repose.errors import ReposeError
from repose.methods.tracks import TRACKS
from repose.metrics.benchmark import DIAGNOSTICS, METRICS, WITHOUT_ORDER
from repose.provenance.making import making
from repose.provenance.manifest import Manifest, load
from repose.reading import read_rows
from repose.tables.bootstrap import half_width95
from repose.tables.runs import cell, metric_columns, six_digits
from repose.tables.shown import markdown_table

_ALL = tuple({metric.name: metric for metric in (*METRICS, *DIAGNOSTICS, *WITHOUT_ORDER)}.values())
_FIRST, _UNORDERED = METRICS[0], WITHOUT_ORDER[0]
COLUMNS = [
    "track", "order", "rank", "method", "source", "seeds", "rows", *metric_columns(_ALL), "skill", "all_rows_mpve_mm",
    "training", "optimised_s", "parameters", "unranked", "score_ids",
]  # fmt: skip


class Entry(NamedTuple):
    """One row of a ranking: the scores of all seeds of a method."""

    about: About
    ids: list[str]
    scores: list[pd.DataFrame]


def run(inputs: Mapping[str, Path], out: Path) -> pd.DataFrame:
    """Rank scores, and write the CSV and its Markdown twin.

    Args:
        inputs: scores on one list, by `{source}/{method}/seed{n}`.
        out: the CSV.

    Returns:
        Columns `COLUMNS`, one row per method, with the ranked ones of a track first.

    Raises:
        ReposeError: the scores are of several lists or versions, or seeds of one method contradict each other.
    """
    with making(specs.ranking({"version": VERSION, "scores": list(inputs)}), out, inputs, keep=0) as new:
        table, listed = derive(new.inputs)
        with new.file(out) as private:
            table.to_csv(private, index=False)
        new.text(out.with_suffix(".md"), markdown(table, listed))
        new.describe = {"rows": len(table), "list": listed}
    return table


def derive(scores: Mapping[str, Manifest]) -> tuple[pd.DataFrame, str]:
    """Return the ranking of scores, and the list and meshes that they are of; nothing is hashed."""
    entries = _entries(scores)
    first = next(iter(scores.values()))
    params = first.history["params"]
    copied = next((e for e in entries if (e.about.source, e.about.method) == ("baseline", "copy-pose")), None)
    rows = [_row(entry, copied) for entry in entries]
    table = _ranked(pd.DataFrame(rows, columns=COLUMNS))
    place = params["dataset"], params["list"], params["sha256"]
    whose = "released" if is_released(*place) else "private: no list of this name and sha256 is released"
    # Equal rows of other bodies, such as coarser ones, are the same list.
    meshes = load(first.parents["listed"]).content["files"][f"{params['list']}.meshes.txt"]["sha256"]
    return table, f"{params['version']} {'/'.join(place[:2])} {place[2]} ({whose}), meshes {meshes}"


def differs_from_scores(ranking: Manifest) -> list[str]:
    """Rank again and report whether the table differs."""
    table, listed = derive({name: load(path) for name, path in ranking.parents.items()})
    csv = ranking.path.with_name("ranking.csv")
    faults = []
    if csv.read_text(encoding="utf-8") != table.to_csv(index=False):
        faults.append("is not the ranking that its scores give")
    if csv.with_suffix(".md").read_text(encoding="utf-8") != markdown(table, listed):
        faults.append("its Markdown twin does not say what its scores give")
    return faults


def _entries(scores: Mapping[str, Manifest]) -> list[Entry]:
    found: dict[tuple[str, str], Entry] = {}
    first: dict[str, Any] = {}
    for name, manifest in scores.items():
        params = manifest.history["params"]
        of = {key: params[key] for key in ("version", "dataset", "list", "sha256")}
        of["meshes"] = manifest.history["inputs"]["listed"]
        first = first or of
        if odd := [key for key in of if of[key] != first[key]]:
            raise ReposeError(
                f"is of another {odd[0]} than the others: {of[odd[0]]}, not {first[odd[0]]}",
                name,
                "a ranking is of one list of one version",
            )
        said = About(**params["about"])
        entry = found.setdefault((said.source, said.method), Entry(said, [], []))
        if said._replace(seed=0, unranked="") != entry.about._replace(seed=0, unranked=""):
            raise ReposeError(
                f"seeds of {said.method} differ in more than their seed",
                name,
                "remove the older one, or hand another method in under another name",
            )
        if said.unranked and not entry.about.unranked:
            entry = found[said.source, said.method] = entry._replace(about=said)
        entry.ids.append(manifest.digest[:12])
        entry.scores.append(read_rows(manifest.artefact).assign(seed=said.seed))
    return list(found.values())


def _row(entry: Entry, copied: Entry | None) -> dict[str, Any]:
    said, scores = entry.about, pd.concat(entry.scores)
    headline = scores[scores.headline]
    row: dict[str, Any] = said._asdict() | {
        "track": said.track or "oracle",
        "seeds": len(entry.scores),
        "rows": headline.triple_id.nunique(),
        "optimised_s": said.optimised,
        "score_ids": ";".join(entry.ids),
    }
    for metric in _ALL:
        row |= _mean(metric.column, headline[headline.metric == metric.name])
    if copied and said.order == "identity":
        row["skill"] = six_digits(1 - _headline(scores) / _headline(pd.concat(copied.scores)))
    everything = scores[scores.metric == _FIRST.name].value
    row["all_rows_mpve_mm"] = six_digits(everything.mean())
    return row


def _headline(scores: pd.DataFrame) -> float:
    return float(scores.value[scores.headline & (scores.metric == _FIRST.name)].mean())


def _mean(column: str, rows: pd.DataFrame) -> dict[str, float]:
    if rows.empty:
        return {column: float("nan"), f"{column}_ci95": float("nan")}
    numbers = rows.truth_mesh.map(numbers_of)
    width = half_width95(rows.value, [numbers.str[0], numbers.str[1], rows.seed])
    return {column: six_digits(rows.value.mean()), f"{column}_ci95": six_digits(width)}


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Add ranks within a track, and sort rows by tracks and ranks."""
    by = table[_FIRST.column].where(table.order == "identity", table[_UNORDERED.column])
    compared = by.where(table.unranked == "")
    rank = compared.groupby([table.track, table.order]).rank(method="min").astype("Int64")
    place = table.track.map({letters: k for k, letters in enumerate(TRACKS)}).fillna(len(TRACKS))
    keys = pd.DataFrame({"place": place, "order": table.order, "by": by, "method": table.method})
    return table.assign(rank=rank).loc[keys.sort_values(list(keys)).index].reset_index(drop=True)


def markdown(table: pd.DataFrame, listed: str) -> str:
    """Return the columns that a reader looks at first, as Markdown."""
    shown = [metric for metric in _ALL if table[metric.column].notna().any()]
    first = ["track", "rank", "method", "source", "seeds"]
    heads = [*first, *(metric.heading for metric in shown), "skill", "training"]
    aligned = "l" * len(first) + "r" * (len(shown) + 1) + "l"
    rows = []
    for row in table.to_dict("records"):
        rank = row["unranked"] if pd.isna(row["rank"]) else str(row["rank"])
        track = row["track"] + ("" if row["order"] == "identity" else " (no order)")
        numbers = (cell(row[m.column], row[f"{m.column}_ci95"]) for m in shown)
        skill = "–" if pd.isna(row["skill"]) else f"{row['skill']:.3f}"
        method = row["method"], row["source"], str(row["seeds"])
        rows.append([track, rank, *method, *numbers, skill, row["training"]])
    return "\n".join([f"List: `{listed}`.", "", markdown_table(heads, aligned, rows), "", _NOTE])


_NOTE = """\
Headline rows; ± is a 95 % interval over identities, poses and seeds. Ranks are within a track, by MPVE, weighted by
area and after the best translation. Skill: 1 − MPVE / MPVE of `copy-pose`, which is told the correspondence. What is
external was handed in: `repose audit` proves its scores, not its training.
"""
