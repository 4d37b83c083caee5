"""Stage `store` of a dataset of images: catalogue, PNGs and labels → packed images."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from repose import specs
from repose.convert.image_catalog import CORRESPONDENCES, TRIANGLES, corr_name, read_image_catalog
from repose.errors import ReposeError
from repose.images.attributes import ATTRIBUTES
from repose.images.classes import BACKGROUND
from repose.images.picture import Picture
from repose.progress import track
from repose.provenance.making import making
from repose.provenance.stated import Stated, stated
from repose.raw.corr import Correspondence, read_corr
from repose.reading import read_npy, read_rows
from repose.store.image_store import ImageStore

CHUNK_BYTES = 4 << 20

Pairs = Mapping[tuple[str, str], Correspondence]
"""Correspondences of pairs (source, target) of photos."""


def run(catalog: Path, files: Path, out: Path) -> None:
    """Pack the images of `catalog`, which lie in the folder `files`, into the Zarr store `out`."""
    inputs = {"catalog": catalog, "files": files}
    with making(specs.store("images"), out, inputs, later=("files",)) as new:
        if new.finished:
            return
        rows, beside = read_image_catalog(catalog), stated(files)
        triangles = _triangles(files / TRIANGLES, beside)
        pairs = _correspondences(files / CORRESPONDENCES, beside)
        with new.file(out) as private:
            pack_images(rows, files, triangles, pairs, private)
        store = ImageStore(out)
        new.describe = {"images": len(store), "size": list(store.size)}


def _triangles(path: Path, files: Stated) -> np.ndarray | None:
    if not path.exists():
        return None
    files.check_file(path)
    return read_npy(path, "run `repose convert` again")


def _correspondences(path: Path, files: Stated) -> Pairs:
    if not path.exists():
        return {}
    files.check_file(path)
    found = {}
    for source, target in read_rows(path).itertuples(index=False):
        corr = path.with_name(corr_name(source, target))
        files.check_file(corr)
        found[source, target] = read_corr(corr)
    return found


def pack_images(
    rows: pd.DataFrame, folder: Path, triangles: NDArray[np.int32] | None, pairs: Pairs, out: Path
) -> None:
    """Write the store: an array per kind of label, a row per image, in the order of the catalogue.

    Nothing is compressed, so that readers can map the chunk files into memory.

    Args:
        rows: the catalogue.
        folder: of the PNGs and label archives that it names; files that its manifest states are checked.
        triangles: (F, 3) of the mesh that rendered images show.
        pairs: imported correspondences of photos.
        out: the store to create.

    Raises:
        ReposeError: a file is missing or is not what the catalogue says, or images differ in size.
    """
    labels = {name: list(rows[name]) for name in ATTRIBUTES if name in rows}
    group = zarr.create_group(out, attributes={"image_ids": list(rows.image_id), "labels": labels})
    named = track(zip(rows.image_id, rows.sha256, strict=True), len(rows), "store")
    files = stated(folder)
    _write(group, len(rows), ((name, _read(name, folder, files, digest)) for name, digest in named))
    if triangles is not None:
        group.create_array("triangles", data=triangles, dimension_names=("face", "corner"))
    if pairs:
        _pack_pairs(group, pairs)


def _read(name: str, folder: Path, files: Stated, digest: str) -> dict[str, NDArray]:
    for suffix in (".png", ".npz"):
        files.check_file(folder / f"{name}{suffix}")
    picture = Picture.read(folder / f"{name}.png")
    if picture.digest != digest:
        raise ReposeError(
            f"{name} is not the image the catalogue describes", folder, "run `repose convert` again"
        )
    found: dict[str, NDArray] = {
        "image": picture.image,
        "joints": picture.joints,
        "segmentation": picture.segmentation,
    }
    return found | (vars(picture.geometry) if picture.geometry else {})


def _pack_pairs(group: zarr.Group, pairs: Pairs) -> None:
    names = sorted(pairs)
    part = group.create_group("imported", attributes={"pairs": [list(pair) for pair in names]})
    _write(part, len(names), ((" ".join(pair), _flow(pairs[pair])) for pair in names))


def _flow(corr: Correspondence) -> dict[str, NDArray]:
    height, width = corr.visibility.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    body = corr.visibility[..., None] < BACKGROUND
    flow = np.where(body, corr.position - grid, 0).astype(np.float32)
    return {"flow": flow, "visibility": corr.visibility}


def _write(group: zarr.Group, count: int, rows: Iterable[tuple[str, Mapping[str, NDArray]]]) -> None:
    """Write `count` rows, each a name for messages and a value for each array, in order."""
    writers: dict[str, _Writer] = {}
    for name, values in rows:
        for key, value in values.items():
            if key not in writers:
                writers[key] = _Writer(group, key, count, value)
            writers[key].add(value, name)
    for key, writer in writers.items():
        writer.finish(key)


class _Writer:
    """Writes rows in order, a chunk at a time."""

    def __init__(self, group: zarr.Group, name: str, count: int, first: NDArray):
        self._chunk = max(1, min(count, CHUNK_BYTES // max(first.nbytes, 1)))
        self._array = group.create_array(
            name,
            shape=(count, *first.shape),
            chunks=(self._chunk, *first.shape),
            dtype=first.dtype,
            compressors=None,
            config={"write_empty_chunks": True},  # readers map every chunk file
        )
        self._rows: list[NDArray] = []
        self._start = 0
        self._count = count

    def add(self, value: NDArray, name: str) -> None:
        if value.shape != self._array.shape[1:] or value.dtype != self._array.dtype:
            raise ReposeError(f"{name} is {value.shape}, the first image {self._array.shape[1:]}")
        self._rows.append(value)
        if len(self._rows) == self._chunk:
            self._flush()

    def finish(self, key: str) -> None:
        self._flush()
        if self._start != self._count:
            raise ReposeError(f"{self._count - self._start} images have no {key}")

    def _flush(self) -> None:
        if self._rows:
            self._array[self._start : self._start + len(self._rows)] = np.stack(self._rows)
            self._start += len(self._rows)
            self._rows = []
