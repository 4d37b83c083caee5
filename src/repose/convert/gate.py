"""The gate before training: meshes that could not be read, or that differ from the others, are refused."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from repose.convert.cache import Converted
from repose.errors import ReposeError
from repose.provenance.publish import write_text

SHOWN = 10


def unlike_the_others(records: Sequence[tuple[str, Converted]]) -> dict[str, str]:
    """Return the meshes whose vertex count or faces are not those of the majority (the first one among equals).

    Args:
        records: mesh ids and converted meshes.

    Returns:
        The reasons, by mesh id.
    """
    counts = Counter(record.topology for _, record in records)
    if len(counts) < 2:
        return {}
    usual = counts.most_common(1)[0][0]
    like, expected = next((name, r.measures) for name, r in records if r.topology == usual)
    reasons = {}
    for name, record in records:
        found = record.measures
        if record.topology == usual:
            continue
        if (found["vertices"], found["faces"]) == (expected["vertices"], expected["faces"]):
            reasons[name] = f"its faces differ from those of {like}"
        else:
            reasons[name] = (
                f"{found['vertices']} vertices and {found['faces']} faces, "
                f"but {like} has {expected['vertices']} and {expected['faces']}"
            )
    return reasons


def refuse(reasons: Sequence[tuple[str, str]], total: int, catalog: Path) -> None:
    """Stop if there are reasons: list them all in `refused.tsv` beside the catalogue, and show the first.

    Args:
        reasons: mesh ids, and why they may not be trained on.
        total: meshes in the dataset.
        catalog: the catalogue that would be published.

    Raises:
        ReposeError: there is a reason.
    """
    listing = catalog.with_name("refused.tsv")
    listing.unlink(missing_ok=True)
    if not reasons:
        return
    write_text(listing, "".join(f"{name}\t{reason}\n" for name, reason in reasons))
    shown = "; ".join(f"{name}: {reason}" for name, reason in reasons[:SHOWN])
    more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    raise ReposeError(
        f"{len(reasons)} of {total} meshes may not be trained on: {shown}{more}",
        where=listing,
        hint="mend or remove these raw meshes and run again; the sound ones are kept",
    )
