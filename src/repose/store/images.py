"""Stage `store` of a dataset of images: catalogue, PNGs and labels → packed images."""

from pathlib import Path

import numpy as np

from repose import specs
from repose.cluster import THREADS, Cluster
from repose.convert.image_catalog import CORRESPONDENCES, TRIANGLES, read_image_catalog
from repose.provenance.making import making
from repose.provenance.stated import Stated, stated
from repose.raw.corr import Correspondence, read_corr
from repose.reading import read_npy, read_rows
from repose.store.image_pack import pack_images
from repose.store.image_store import ImageStore


def run(catalog: Path, files: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Pack the images of `catalog`, which lie in the folder `files`, into the Zarr store `out`.

    It happens in this process, whatever the cluster.
    """
    inputs = {"catalog": catalog, "files": files}
    with making(specs.store("images"), out, inputs, later=("files",)) as new:
        if new.finished:
            return
        rows, beside = read_image_catalog(catalog), stated(files)
        triangles, pairs = (
            _triangles(files / TRIANGLES, beside),
            _correspondences(files / CORRESPONDENCES, beside),
        )
        with new.file(out) as private:
            pack_images(rows, files, triangles, pairs, private)
        store = ImageStore(out)
        new.describe = {"images": len(store), "size": list(store.size)}


def _triangles(path: Path, files: Stated) -> np.ndarray | None:
    if not path.exists():
        return None
    files.check_file(path)
    return read_npy(path, "run `repose convert` again")


def _correspondences(path: Path, files: Stated) -> dict[tuple[str, str], Correspondence]:
    if not path.exists():
        return {}
    files.check_file(path)
    return {
        (row.source_image, row.target_image): read_corr(Path(row.corr))
        for row in read_rows(path).itertuples(index=False)
    }
