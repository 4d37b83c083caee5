"""Write docs/ledger.md: every published number beside ours, and how near each system is to its released code.

    python docs/ledger/ledger.py

Everything that the page says of a system stands in the CSV files beside this one, in the published numbers of
`repose.tables`, or in `docs/results/{scale}.csv` and `docs/results/{scale}-*.csv`: tables of real runs.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from repose.metrics import images, meshes, poses, renders
from repose.provenance.publish import write_text
from repose.tables.meshes import DATA
from repose.tables.poses import reported as reported_of_npr
from repose.tables.runs import PLACE, cell

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
PAGE = HERE.parent / "ledger.md"
SCALES = {
    "demo": "config.yaml",
    "standard": "workflow/presets/standard.yaml",
    "full": "workflow/presets/paper.yaml",
}
NEAR = 0.5
STATUSES = ("reproduced", "near", "not", "not obtainable")
METRICS = {m.column: m for m in (*meshes.METRICS, *poses.METRICS, *renders.METRICS, *images.METRICS)}
NPR_METRICS = {
    "fid_e2": "FID (1e-2)",
    "kid_e2": "KID (1e-2)",
    "accuracy": "accuracy (%)",
    "pmd_e3": "PMD (1e-3)",
}
NPR_DATA = {"animals": "npr-animals", "SMPL": "npr-smpl"}

INTRODUCTION = """\
# The reproduction ledger

What has been published of each system that is a method here, and what this repository has of it. This page is made by
`python docs/ledger/ledger.py` from the data in `docs/ledger/`, the published numbers that tables carry
(`src/repose/tables/reported*.csv`) and tables of real runs; no number of it is typed.

**Parity** is what a test asserts of our code and that of a system: that it has as many parameters, or that a result
differs by no more than the number says, as the test measures it. No released code is in this repository: tests compare
with its equations or layers, written out once more. The released codes themselves were run once, beside ours:
{comparisons} comparisons of {systems} systems at revision {revision}, which agreed to rounding but for what stands
under "found".

**Published numbers** are those that were read in a paper or on its poster. Of a paper whose tables could not be read
there is one row for each of its data, without a number.

**Ours** may be held against a published number only where they are of the same data. Those of open bodies are not
comparable: they show that a method runs, not what it would have in the paper's table.

{scales}
**Status** follows from the numbers, by the largest scale that has one on the published data:

| status | rule |
| --- | --- |
| reproduced | ours is as good or better, or the published number is within our 95 % interval |
| near | ours is worse by at most {near:.0f} % of the published number |
| not | ours is worse than that |
| not obtainable | the number could not be read, its metric is not published well enough, or no run is of its data |
"""


class Data(NamedTuple):
    """What the page is made from; published numbers have the columns of `published.csv`."""

    systems: pd.DataFrame
    data: pd.DataFrame
    published: pd.DataFrame
    parity: pd.DataFrame
    differences: pd.DataFrame
    campaign: dict[str, str]
    ours: dict[str, pd.DataFrame | None]


def read(results: Path = RESULTS) -> Data:
    """All data; of a scale that was not run there is None."""
    systems, data, published, parity, differences = (
        _texts(HERE / f"{name}.csv") for name in ("systems", "data", "published", "parity", "differences")
    )
    methods = _texts(HERE / "methods.csv").set_index(["published", "poses"])
    carried = pd.DataFrame([*_of_meshes(methods), *_of_npr(methods)])
    published = pd.concat([carried, published]).fillna("")
    campaign = _texts(HERE / "campaign.csv").iloc[0].to_dict()
    ours = {scale: _run(results, scale) for scale in SCALES}
    return Data(systems, data.set_index("data"), published, parity, differences, campaign, ours)


def _texts(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _run(results: Path, scale: str) -> pd.DataFrame | None:
    """The rows of all tables of a run; of a row that several have, the first."""
    paths = [p for p in (results / f"{scale}.csv", *sorted(results.glob(f"{scale}-*.csv"))) if p.exists()]
    return pd.concat(map(pd.read_csv, paths)).drop_duplicates(PLACE).set_index(PLACE) if paths else None


def _of_meshes(methods: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Of `methods.csv` the rows by the published name, and by whose poses they are."""
    for row in _texts(Path(str(files("repose.tables").joinpath(*DATA)))).to_dict("records"):
        yield {
            "system": methods.system[row["method"], ""], "place": row["reported_source"], "data": row["dataset"],
            "row": row["method"], "metric": "PMD (1e-4)", "value": row["reported_pmd_e4"], "method": row["method"],
            "protocol": row["protocol"], "column": "pmd_e4", "factor": "1",
        }  # fmt: skip


def _of_npr(methods: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Its tables 1 and 2. Only PMD can be computed; its scorers are not described."""
    for row in reported_of_npr().to_dict("records"):
        who = row["method"], row["poses"]
        for column, metric in ((c, m) for c, m in NPR_METRICS.items() if pd.notna(row[c])):
            number = {
                "system": "npr", "place": f"table {row['table']}", "data": NPR_DATA[row["data"]],
                "row": f"{row['method']}, poses {row['poses']}", "metric": metric, "value": f"{row[column]:g}",
            }  # fmt: skip
            if who not in methods.index:
                number["remark"] = "no method here is this one"
            elif column == "pmd_e3":
                number |= {"method": methods.method[who], "protocol": methods.protocol[who]}
                number |= {"column": "pmd_e4", "factor": "10", "remark": "formula and unit are not stated"}
            else:
                number["remark"] = "its scorer is not published"
            if pd.notna(row.get(f"{column}_of_cells")):
                of_cells = row[f"{column}_of_cells"]
                number["remark"] += f"; the mean of the cells of the paper's appendix is {of_cells:g}"
            yield number


class Verdict(NamedTuple):
    """The status of one published number, and why."""

    status: str
    why: str


def verdict(number: dict[str, str], data: pd.DataFrame, ours: dict[str, pd.DataFrame | None]) -> Verdict:
    """By the rule of the page.

    Args:
        number: a row of the published numbers.
        data: what is known of the published data, by their names.
        ours: the tables of each scale, the largest last.
    """
    remark = [number["remark"]] if number["remark"] else []
    if not number["value"] or not number["column"]:
        return Verdict("not obtainable", "; ".join(remark))
    for scale, table in reversed(ours.items()):
        if (found := _ours(number, number["data"], table)) is not None:
            return Verdict(_compared(number, *found), "; ".join([f"by the run of scale {scale}", *remark]))
    of_others = any(
        _ours(number, data.stand_in[number["data"]], table) is not None for table in ours.values()
    )
    why = [f"not comparable: ours are of {data.stand_in[number['data']]}"] if of_others else []
    return Verdict("not obtainable", "; ".join([*why, data.why[number["data"]], *remark]))


def _compared(number: dict[str, str], value: float, width: float) -> str:
    published = float(number["value"]) * float(number["factor"])
    is_worse = METRICS[number["column"]].is_improved(value, published)
    if not is_worse or abs(value - published) <= width:
        return "reproduced"
    return "near" if abs(value - published) <= NEAR * abs(published) else "not"


def _ours(number: dict[str, str], dataset: str, table: pd.DataFrame | None) -> tuple[float, float] | None:
    """Our number and half the width of its interval on a dataset, if the run has it."""
    place, column = (dataset, number["method"], number["protocol"]), number["column"]
    if table is None or not column or column not in table or place not in table.index:
        return None
    value, width = table.loc[place, column], table.loc[place].get(f"{column}_ci95", float("nan"))
    return None if pd.isna(value) else (float(value), float(width))


def page(data: Data) -> str:
    """The whole page."""
    run = [
        [scale, f"`{SCALES[scale]}`", "not run" if table is None else f"{len(table)}"]
        for scale, table in data.ours.items()
    ]
    scales = _table(["scale", "settings", "rows of its tables"], run)
    parts = [INTRODUCTION.format(**data.campaign, scales=scales, near=100 * NEAR)]
    rows = [
        dict(row) | {"verdict": verdict(row, data.data, data.ours)}
        for row in data.published.to_dict("records")
    ]
    overview = []
    sections = []
    for system in data.systems.to_dict("records"):
        mine = [row for row in rows if row["system"] == system["system"]]
        parity = data.parity[data.parity.system == system["system"]]
        counts = [sum(row["verdict"].status == status for row in mine) for status in STATUSES]
        overview.append([system["title"], len(parity), len(mine), *counts])
        sections.append(_section(system, mine, parity, data))
    parts += [
        "## All systems\n\n" + _table(["system", "parities", "numbers", *STATUSES], overview),
        *sections,
    ]
    return "\n".join(parts)


def _section(system: dict[str, str], numbers: list[dict], parity: pd.DataFrame, data: Data) -> str:
    parts = [f"## {system['title']}\n\n{system['paper']}. Read of it: {system['read']}.\n"]
    kept = [
        [row.what, row.against, row.figure.replace("_", ","), _test(row.test)] for row in parity.itertuples()
    ]
    parts.append(_table(["parity", "against", "figure", "held by"], kept))
    found = data.differences[data.differences.system == system["system"]]
    if len(found):
        parts.append(
            _table(
                ["found", "now", "held by"],
                [[row.found, row.now, _test(row.test)] for row in found.itertuples()],
            )
        )
    if numbers:
        heads = [
            "published in",
            "data",
            "row",
            "metric",
            "published",
            *(f"ours, {scale}" for scale in SCALES),
        ]
        lines = [
            [
                *(
                    row["place"],
                    data.data.title[row["data"]],
                    row["row"],
                    row["metric"],
                    row["value"] or "not read",
                ),
                *(_cell(row, data.data.stand_in[row["data"]], table) for table in data.ours.values()),
                *row["verdict"],
            ]
            for row in numbers
        ]
        parts.append(_table([*heads, "status", "why"], lines))
    return "\n".join(parts)


def _cell(number: dict[str, str], stand_in: str, table: pd.DataFrame | None) -> str:
    """Our number in the published unit, and on which data where these are not the published ones."""
    if not number["column"]:
        return "–"
    if table is None:
        return "not run"
    for dataset, note in ((number["data"], ""), (stand_in, f" on {stand_in}, not comparable")):
        if (found := _ours(number, dataset, table)) is not None:
            return cell(*(x / float(number["factor"]) for x in found)) + note
    return "–"


def _test(node: str) -> str:
    path, _, name = node.partition("::")
    return f"[{name}](../{path})" if node else "–"


def _table(heads: list[str], rows: list[list]) -> str:
    lines = [heads, ["---"] * len(heads), *([str(text).replace("|", "\\|") for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    write_text(PAGE, page(read()))
