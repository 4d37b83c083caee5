"""Stage `convert` of a dataset of images: raw data → PNGs, labels and their catalogue."""

import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from repose import specs
from repose.cluster import THREADS, Cluster, spread
from repose.convert.image_batch import ConvertedImage, ImageBatch
from repose.convert.image_catalog import COLUMNS
from repose.errors import ReposeError
from repose.progress import Meter
from repose.provenance.making import Artefact, making
from repose.raw.image_source import ImageItem, ImageSource
from repose.raw.settings import ImageSet

BATCH = 24
FOLDER = "img"


def run(dataset: ImageSet, raw: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Write `img/` and the catalogue `out` (parquet) beside it; only what changed is converted.

    Raises:
        ReposeError: an image is missing, damaged, or of another size than the others.
    """
    spec = specs.convert(dataset)
    with making(spec, out, {"raw": raw}, keep=0) as new:
        convert(dataset, raw, out, spec.code, cluster, new)


def convert(dataset: ImageSet, raw: Path, out: Path, code: str, cluster: Cluster, new: Artefact) -> None:
    """Convert what is not in the cache; see `run`."""
    source = dataset.open_source(raw)
    items = source.items()
    if not items:
        raise ReposeError("no image in the raw data", raw, "see `repose raw --list` for what belongs there")
    folder = out.parent / ".converted"
    folder.mkdir(parents=True, exist_ok=True)
    batch = ImageBatch(source, folder, code)
    records = _convert(batch, items, cluster)
    _check_sizes(items, records)
    made = sum(record.made for record in records)
    new.costs |= {"converted": made, "unchanged": len(items) - made}
    _publish(batch, items, records, out, new)
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
    batch: ImageBatch, items: list[ImageItem], records: list[ConvertedImage], out: Path, new: Artefact
) -> None:
    source = batch.source
    triangles, pairs = source.triangles(), source.pairs()
    with new.file(out.parent / FOLDER) as private:
        private.mkdir()
        for item, record in zip(items, records, strict=True):
            batch.link(record, private / item.image_id)
        if triangles is not None:
            np.save(private / "triangles.npy", triangles)
        if pairs is not None:
            pairs.to_parquet(private / "pairs.parquet", index=False)
    with new.file(out) as private:
        _catalog(items, records, source).to_parquet(private, index=False)
    batch.keep_only(records)
    new.describe = {"images": len(items), "size": [records[0].height, records[0].width]}
