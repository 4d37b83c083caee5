"""Stage `convert`: from raw data to .obj files and their catalogue, two artefacts, as most stages read only one."""

import sys
from pathlib import Path

import pandas as pd

from repose import specs
from repose.cluster import THREADS, Cluster
from repose.convert.batch import Batch
from repose.convert.cache import Cache, Converted, cache_key
from repose.convert.catalog import COLUMNS, mesh_id
from repose.convert.gate import refuse, unlike_the_others
from repose.errors import ReposeError
from repose.mesh.quality import QUALITY
from repose.provenance.making import Artefact, making
from repose.raw.settings import Dataset
from repose.raw.source import Item, Source

BATCH = 16
"""Meshes per task: long enough to hide what a task costs, short enough to lose little in a kill."""


def run(dataset: Dataset, raw: Path, catalog: Path, files: Path, cluster: Cluster = THREADS) -> None:
    """Write the folder `files` (.obj) and the `catalog` (parquet), converting what is not in `.converted/` yet.

    Raises:
        ReposeError: some meshes are broken or differ from the others (`refused.tsv` beside the catalogue lists them);
            earlier results are kept.
    """
    spec, inputs = specs.convert(dataset), {"raw": raw}
    with making(spec, files, inputs, keep=0) as meshes, making(spec, catalog, inputs, keep=0) as rows:
        convert(dataset.open_source(raw), spec.version, cluster, rows, meshes)


def convert(source: Source, code: str, cluster: Cluster, catalog: Artefact, files: Artefact) -> None:
    """Convert a source; see `run`."""
    items = source.items()
    if not items:
        raise ReposeError("no mesh in the raw data", hint="see `repose raw --list` for what belongs there")
    cache = Cache(catalog.out.parent / ".converted")
    before = cache.names
    names = [mesh_id(item.identity, item.pose) for item in items]
    keys = [cache_key(item.key, code) for item in items]
    found = cache.find_all(keys)
    missing = [item for item, key in zip(items, keys, strict=True) if key not in found]
    tasks = (missing[start : start + BATCH] for start in range(0, len(missing), BATCH))
    made, reasons = cache.convert(tasks, len(missing), Batch(source, cache.folder, code), cluster)
    found |= made
    records = [(name, found[key]) for name, key in zip(names, keys, strict=True) if key in found]
    reasons |= unlike_the_others(records)
    refuse([(name, reasons[name]) for name in names if name in reasons], len(names), catalog.out)
    costs = {
        "converted": len(missing),
        "unchanged": len(items) - len(missing),
        "removed": len(before - set(names)),
    }
    catalog.costs |= costs
    files.costs |= costs
    _publish(_catalog(items, records, source.licence), records, cache, catalog, files)
    counts = ", ".join(f"{count} {what}" for what, count in costs.items())
    print(f"convert: {counts}", file=sys.stderr, flush=True)


def _catalog(items: list[Item], records: list[tuple[str, Converted]], licence: str) -> pd.DataFrame:
    rows = [
        {"mesh_id": name, "licence": licence} | vars(item) | record.measures
        for item, (name, record) in zip(items, records, strict=True)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *QUALITY])


def _publish(
    rows: pd.DataFrame,
    records: list[tuple[str, Converted]],
    cache: Cache,
    catalog: Artefact,
    files: Artefact,
) -> None:
    catalog.begin()
    known: dict[str, str] = {}
    with files.file(files.out, known) as private:
        private.mkdir()
        for name, record in records:
            known |= cache.link(record, private / name)
    with catalog.file(catalog.out) as private:
        rows.to_parquet(private, index=False)
    cache.keep_only({record.key: record for _, record in records}.values())
    catalog.describe = files.describe = {"meshes": len(rows), "units": "m", "up": "y"}
