"""The study as a page of Markdown."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from repose.conventions.known import CLAIMED, CONVENTIONS, REFERENCE
from repose.tables.shown import markdown_table


class Study(NamedTuple):
    """The results of the study, with the columns of `repose.conventions.study` and `sensitivity`."""

    ranking: pd.DataFrame
    taus: pd.DataFrame
    swaps: pd.DataFrame
    claims: pd.DataFrame
    lists: pd.DataFrame
    seen: pd.DataFrame


def markdown(table: str, study: Study) -> str:
    """Return the results that a reader looks at first: τ against the reference, ranks, claims, and clear swaps."""
    lines = [
        f"# `{table}` under {len(CONVENTIONS)} conventions", "",
        "The same predictions, scored as published evaluations score; docs/conventions.md says what they are.", "",
        f"![ranks]({table}.png)", "",
    ]  # fmt: skip
    for place in study.ranking[["dataset", "protocol"]].drop_duplicates().itertuples(index=False):
        own = Study(*(_of(frame, place) for frame in study))
        lines += [f"## {place.dataset}, {place.protocol}", "", _taus(own), "", *_ranks(own.ranking), ""]
        lines += [*_claims(own), "", *_swaps(own.swaps), ""]
    lines += [
        *_lists(study.lists),
        "## What a convention sees",
        "",
        f"![sensitivity]({table}-sensitivity.png)",
    ]
    return "\n".join(lines) + "\n"


def _lists(between: pd.DataFrame) -> list[str]:
    """Describe C17; nothing if each dataset has one list."""
    if between.empty:
        return []
    heads = ["dataset", "list", "other list", "τ", "pairs swapped (clearly)"]
    rows = [
        [row.dataset, row.protocol, row.other, f"{row.tau:.2f}", f"{row.swapped} ({row.clear})"]
        for row in between.itertuples(index=False)
    ]
    return ["## C17: C0 on another list", "", markdown_table(heads, "llllr", rows), ""]


def _of(frame: pd.DataFrame, place: Sequence[str]) -> pd.DataFrame:
    keys = [key for key in ("dataset", "protocol") if key in frame]
    return frame[(frame[keys] == list(place)[: len(keys)]).all(axis=1)]


def _taus(own: Study) -> str:
    tau = own.taus[own.taus.convention == REFERENCE.code].set_index("other").tau
    swapped = own.swaps.groupby("convention").clear.agg(["size", "sum"]).reindex(tau.index, fill_value=0)
    rows = []
    for c in CONVENTIONS[1:]:
        pairs = f"{swapped['size'][c.code]} ({int(swapped['sum'][c.code])})"
        rows.append([c.code, c.title, c.who, f"{tau[c.code]:.2f}", pairs])
    heads = ["", "convention", "who, or why", f"τ to {REFERENCE.code}", "pairs swapped (clearly)"]
    return markdown_table(heads, "l" * len(heads), rows)


def _ranks(ranking: pd.DataFrame) -> list[str]:
    wide = ranking.pivot_table(index="method", columns="convention", values="rank", sort=False)
    first = ranking[ranking.convention == REFERENCE.code].set_index("method")
    rows = []
    for method in first.sort_values("rank").index:
        interval = f"{first.rank_low[method]}–{first.rank_high[method]}"
        rows.append([method, interval, *(str(int(rank)) for rank in wide.loc[method])])
    heads = ["method", "C0, 95 %", *wide.columns]
    table = markdown_table(heads, "l" * len(heads), rows)
    return ["Ranks; the second column is the 95 % interval of the first.", "", table]


def _claims(own: Study) -> Iterator[str]:
    codes = f"{', '.join(CLAIMED[:-1])} and {CLAIMED[-1]}"
    yield f"Better under {codes}, with intervals that do not reach 0; what is not named is a tie:"
    yield ""
    held = own.claims[own.claims.holds]
    first = own.ranking[own.ranking.convention == REFERENCE.code].sort_values("rank")
    for method in first.method:
        beaten = held.worse[held.better == method]
        if len(beaten):
            yield f"- {method} beats {', '.join(beaten)}"
    if held.empty:
        yield "- none"


def _swaps(swaps: pd.DataFrame) -> list[str]:
    clear = swaps[swaps.clear]
    if clear.empty:
        return ["No two methods swap clearly."]
    found = [
        f"- {convention}: {better} falls behind {', '.join(rows.worse)}"
        for (convention, better), rows in clear.groupby(["convention", "better"], sort=False)
    ]
    return ["Swapped against C0, clearly under both:", "", *found]
