"""Stage `convert`: raw data → .obj files and their catalogue."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from repose import specs
from repose.cluster import THREADS, Cluster, spread
from repose.convert.batch import Batch, Unreadable
from repose.convert.cache import Cache, Converted, cache_key
from repose.convert.catalog import COLUMNS, mesh_id
from repose.convert.gate import refuse, unlike_the_others
from repose.errors import ReposeError
from repose.mesh.quality import QUALITY
from repose.progress import Meter
from repose.provenance.making import Artefact, making
from repose.raw.settings import Dataset
from repose.raw.source import Item, Source

BATCH = 16
"""Meshes per task: long enough to hide what a task costs, short enough to lose little in a kill."""


def run(dataset: Dataset, raw: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Write `obj/` and the catalogue `out` (parquet) beside it, converting what is not in `.converted/` yet.

    Raises:
        ReposeError: some meshes are broken or unlike the others (`refused.tsv` beside `out` lists them); what
            was published before is untouched.
    """
    spec = specs.convert(dataset)
    with making(spec, out, {"raw": raw}, keep=0) as new:
        convert(dataset.open_source(raw), out, spec.code, cluster, new)


def convert(source: Source, out: Path, code: str, cluster: Cluster, new: Artefact) -> pd.DataFrame:
    """Convert a source; see `run`. Returns the catalogue."""
    items = source.items()
    if not items:
        raise ReposeError("no mesh in the raw data", hint="see `repose raw --list` for what belongs there")
    folder = out.parent / ".converted"
    cache = Cache(folder)
    before = cache.names
    kept = {key: record for key in _keys(items, code) if (record := cache.find(key))}
    missing = [item for item in items if cache_key(item.key, code) not in kept]
    made, reasons = _convert_missing(missing, Batch(source, folder, code), cluster, cache)
    kept |= made
    records = [
        (mesh_id(item.identity, item.pose), kept[key])
        for item, key in zip(items, _keys(items, code), strict=True)
        if key in kept
    ]
    reasons |= unlike_the_others(records)
    names = [mesh_id(item.identity, item.pose) for item in items]
    refuse([(name, reasons[name]) for name in names if name in reasons], len(names), out)
    rows = _catalog(items, [record for _, record in records], source.licence)
    new.costs |= {
        "converted": len(missing),
        "unchanged": len(items) - len(missing),
        "removed": len(before - set(rows.mesh_id)),
    }
    _publish(rows, records, cache, out, new)
    counts = ", ".join(f"{count} {what}" for what, count in new.costs.items())
    print(f"convert: {counts}", file=sys.stderr, flush=True)
    return rows


def _keys(items: Sequence[Item], code: str) -> Iterator[str]:
    return (cache_key(item.key, code) for item in items)


def _convert_missing(
    items: Sequence[Item], batch: Batch, cluster: Cluster, cache: Cache
) -> tuple[dict[str, Converted], dict[str, str]]:
    """Converted meshes by key, and why others were not."""
    made: dict[str, Converted] = {}
    reasons: dict[str, str] = {}
    if not items:
        return made, reasons
    done = 0
    with Meter("convert", len(items)) as meter:
        slices = (items[start : start + BATCH] for start in range(0, len(items), BATCH))
        for _, found in spread(cluster, batch, slices):
            good = [record for record in found if isinstance(record, Converted)]
            cache.add(good)
            made |= {record.key: record for record in good}
            reasons |= {bad.name: bad.reason for bad in found if isinstance(bad, Unreadable)}
            done += len(found)
            meter.to(done)
    return made, reasons


def _catalog(items: Sequence[Item], records: Sequence[Converted], licence: str) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for item, record in zip(items, records, strict=True):
        name = mesh_id(item.identity, item.pose)
        numbers = {"mesh_id": name, "identity": item.identity, "pose": item.pose}
        rows.append(numbers | record.measures | {"source": item.source, "licence": licence})
    return pd.DataFrame(rows, columns=[*COLUMNS, *QUALITY])


def _publish(
    rows: pd.DataFrame, records: Sequence[tuple[str, Converted]], cache: Cache, out: Path, new: Artefact
) -> None:
    with new.file(out.parent / "obj") as private:
        private.mkdir()
        for name, record in records:
            cache.link(record.key, private / f"{name}.obj")
    with new.file(out) as private:
        rows.to_parquet(private, index=False)
    cache.keep_only({record.key: record for _, record in records}.values())
    new.describe = {"meshes": len(rows), "units": "m", "up": "y"}
