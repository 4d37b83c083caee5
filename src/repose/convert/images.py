"""Stage `convert` of a dataset of images: raw data → PNGs with their labels, and their catalogue, two artefacts."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from repose import specs
from repose.cluster import THREADS, Cluster
from repose.convert.cache import Cache, Converted, cache_key, write_converted
from repose.convert.image_catalog import COLUMNS, CORRESPONDENCES, TRIANGLES, corr_name
from repose.errors import ReposeError
from repose.provenance.making import Artefact, making
from repose.raw.image_source import PAIR_COLUMNS, ImageItem, ImageSource
from repose.raw.settings import ImageSet
from repose.results import PAIRS

BATCH = 24
SUFFIXES = (".png", ".npz")


def run(dataset: ImageSet, raw: Path, catalog: Path, files: Path, cluster: Cluster = THREADS) -> None:
    """Write the folder `files` (PNG, NPZ), the `catalog` (parquet) and `pairs.parquet`; only what changed is converted.

    Raises:
        ReposeError: an image is missing, damaged, or of another size than the others.
    """
    spec, inputs = specs.convert(dataset), {"raw": raw}
    with making(spec, files, inputs, keep=0) as images, making(spec, catalog, inputs, keep=0) as rows:
        convert(dataset, raw, spec.version, cluster, rows, images)


def convert(
    dataset: ImageSet, raw: Path, code: str, cluster: Cluster, catalog: Artefact, files: Artefact
) -> None:
    """Convert the images that are not in the cache; see `run`."""
    source = dataset.open_source(raw)
    items = source.items()
    if not items:
        raise ReposeError("no image in the raw data", raw, "see `repose raw --list` for what belongs there")
    cache = Cache(catalog.out.parent / ".converted")
    keys = [cache_key(item.key, code) for item in items]
    found = cache.find_all(keys)
    missing = [item for item, key in zip(items, keys, strict=True) if key not in found]
    made, _ = cache.convert(_tasks(missing), len(missing), ImageBatch(source, cache.folder, code), cluster)
    all_records = found | made
    records = [all_records[key] for key in keys]
    _check_sizes(items, records)
    costs = {"converted": len(missing), "unchanged": len(items) - len(missing)}
    catalog.costs |= costs
    files.costs |= costs
    _publish(source, cache, items, records, catalog, files)
    print(f"convert: {len(missing)} converted, {costs['unchanged']} unchanged", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class ImageBatch:
    """Converts batches of items into one folder; it pickles.

    Attributes:
        source: of the images.
        folder: of the cache.
        code: hash of the code that converts.
    """

    source: ImageSource
    folder: Path
    code: str

    def __call__(self, items: Sequence[ImageItem]) -> list[Converted]:
        """Convert items, those of one outfit together: the person is dressed once."""
        made = []
        for item, picture in zip(items, self.source.pictures(items), strict=True):
            height, width = picture.image.shape[:2]
            measures = {"sha256": picture.digest, "height": height, "width": width}
            contents = dict(zip(SUFFIXES, picture.encode(), strict=True))
            key = cache_key(item.key, self.code)
            made.append(write_converted(self.folder, key, item.image_id, contents, measures))
        return made


def _tasks(items: Sequence[ImageItem]) -> Iterator[list[ImageItem]]:
    """Images of one outfit go together: the person is dressed once."""
    for _, group in groupby(items, key=lambda item: item.outfit):
        outfit = list(group)
        yield from (outfit[start : start + BATCH] for start in range(0, len(outfit), BATCH))


def _check_sizes(items: list[ImageItem], records: list[Converted]) -> None:
    first = records[0].measures
    for item, record in zip(items, records, strict=True):
        own = record.measures
        if (own["height"], own["width"]) != (first["height"], first["width"]):
            raise ReposeError(
                f"{item.image_id} is {own['width']} × {own['height']} pixels, {items[0].image_id} "
                f"{first['width']} × {first['height']}",
                item.source,
                "bring the images of one size",
            )


def _catalog(items: list[ImageItem], records: list[Converted], source: ImageSource) -> pd.DataFrame:
    rows = [
        vars(item) | record.measures | {"licence": source.licence} | item.labels
        for item, record in zip(items, records, strict=True)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *items[0].labels])


def _publish(
    source: ImageSource,
    cache: Cache,
    items: list[ImageItem],
    records: list[Converted],
    catalog: Artefact,
    files: Artefact,
) -> None:
    triangles, published = source.triangles(), source.pairs()
    if published is None:
        published = pd.DataFrame(columns=PAIR_COLUMNS)
    catalog.begin()
    known: dict[str, str] = {}
    with files.file(files.out, known) as private:
        private.mkdir()
        for item, record in zip(items, records, strict=True):
            known |= cache.link(record, private / item.image_id)
        if triangles is not None:
            np.save(private / TRIANGLES, triangles)
        _copy_correspondences(source, private)
    with catalog.file(catalog.out.with_name(PAIRS)) as private:
        published.to_parquet(private, index=False)
    with catalog.file(catalog.out) as private:
        _catalog(items, records, source).to_parquet(private, index=False)
    cache.keep_only(records)
    size = [records[0].measures["height"], records[0].measures["width"]]
    catalog.describe = files.describe = {"images": len(items), "size": size}


def _copy_correspondences(source: ImageSource, folder: Path) -> None:
    """Copies, and no links to files of the user: an edit of one is none of the other."""
    pairs = []
    for photo, target, content in source.correspondences():
        (folder / corr_name(photo, target)).write_bytes(content)
        pairs.append((photo, target))
    if pairs:
        pd.DataFrame(pairs, columns=PAIR_COLUMNS[:2]).to_parquet(folder / CORRESPONDENCES, index=False)
