"""Stage `convert` of a dataset of images: raw data → PNGs with their labels, and their catalogue, two artefacts."""

import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from repose import specs
from repose.cluster import THREADS, Cluster, spread
from repose.config.images import Images
from repose.convert.image_batch import ConvertedImage, ImageBatch
from repose.convert.image_catalog import COLUMNS, CORRESPONDENCES, PUBLISHED, TRIANGLES
from repose.errors import ReposeError
from repose.progress import Meter
from repose.provenance.making import Artefact, making
from repose.raw.image_source import PAIR_COLUMNS, ImageItem, ImageSource, open_images
from repose.results import PAIRS

BATCH = 24


def run(dataset: Images, raw: Path, catalog: Path, files: Path, cluster: Cluster = THREADS) -> None:
    """Write the folder `files` (PNG, NPZ), the `catalog` (parquet) and `pairs.parquet`; only what changed is converted.

    Raises:
        ReposeError: an image is missing, damaged, or of another size than the others.
    """
    spec, inputs = specs.convert(dataset), {"raw": raw}
    with making(spec, files, inputs, keep=0) as images, making(spec, catalog, inputs, keep=0) as rows:
        convert(dataset, raw, spec.version, cluster, rows, images)


def convert(
    dataset: Images, raw: Path, code: str, cluster: Cluster, catalog: Artefact, files: Artefact
) -> None:
    """Convert what is not in the cache; see `run`."""
    source = open_images(dataset, raw)
    items = source.items()
    if not items:
        raise ReposeError("no image in the raw data", raw, "see `repose raw --list` for what belongs there")
    folder = catalog.out.parent / ".converted"
    folder.mkdir(parents=True, exist_ok=True)
    batch = ImageBatch(source, folder, code)
    records = _convert(batch, items, cluster)
    _check_sizes(items, records)
    made = sum(record.made for record in records)
    costs = {"converted": made, "unchanged": len(items) - made}
    catalog.costs |= costs
    files.costs |= costs
    _publish(batch, items, records, catalog, files)
    print(f"convert: {made} converted, {len(items) - made} unchanged", file=sys.stderr, flush=True)


def _convert(batch: ImageBatch, items: list[ImageItem], cluster: Cluster) -> list[ConvertedImage]:
    # Images of one outfit go together: the person is dressed once.
    groups = (list(group) for _, group in groupby(items, key=lambda item: item.outfit))
    tasks = (group[start : start + BATCH] for group in groups for start in range(0, len(group), BATCH))
    found: dict[str, ConvertedImage] = {}
    with Meter("convert", len(items)) as meter:
        for task, records in spread(cluster, batch, tasks):
            found |= {item.image_id: record for item, record in zip(task, records, strict=True)}
            meter.to(len(found))
    return [found[item.image_id] for item in items]


def _check_sizes(items: list[ImageItem], records: list[ConvertedImage]) -> None:
    first = records[0]
    for item, record in zip(items, records, strict=True):
        if (record.height, record.width) != (first.height, first.width):
            raise ReposeError(
                f"{item.image_id} is {record.width} × {record.height} pixels, {items[0].image_id} "
                f"{first.width} × {first.height}",
                item.source,
                "bring the images of one size",
            )


def _catalog(items: list[ImageItem], records: list[ConvertedImage], source: ImageSource) -> pd.DataFrame:
    rows = [
        {
            "image_id": item.image_id,
            "identity": item.identity,
            "outfit": item.outfit,
            "pose": item.pose,
            "camera": item.camera,
            "part": item.part,
            "height": record.height,
            "width": record.width,
            "sha256": record.digest,
            "source": item.source,
            "licence": source.licence,
        }
        | item.labels
        for item, record in zip(items, records, strict=True)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *items[0].labels])


def _publish(
    batch: ImageBatch,
    items: list[ImageItem],
    records: list[ConvertedImage],
    catalog: Artefact,
    files: Artefact,
) -> None:
    source = batch.source
    triangles, pairs = source.triangles(), source.pairs()
    if pairs is None:
        pairs = pd.DataFrame(columns=PAIR_COLUMNS)
    found, published = pairs[pairs["corr"] != ""], pairs[pairs["part"] != ""]
    catalog.begin()
    with files.file(files.out) as private:
        private.mkdir()
        for item, record in zip(items, records, strict=True):
            batch.link(record, private / item.image_id)
        if triangles is not None:
            np.save(private / TRIANGLES, triangles)
        if len(found):
            found.drop(columns="part").to_parquet(private / CORRESPONDENCES, index=False)
    with catalog.file(catalog.out.with_name(PAIRS)) as private:
        published[PUBLISHED].to_parquet(private, index=False)
    with catalog.file(catalog.out) as private:
        _catalog(items, records, source).to_parquet(private, index=False)
    batch.keep_only(records)
    size = [records[0].height, records[0].width]
    catalog.describe = files.describe = {"images": len(items), "size": size}
