"""Stage `store` of a dataset of images: catalogue, PNGs and labels → packed images."""

from pathlib import Path

import numpy as np

from repose import specs
from repose.cluster import THREADS, Cluster
from repose.convert.image_catalog import CORRESPONDENCES, TRIANGLES, read_image_catalog
from repose.provenance.making import making
from repose.raw.corr import Correspondence, read_corr
from repose.reading import read_npy, read_rows
from repose.store.image_pack import pack_images
from repose.store.image_store import ImageStore


def run(catalog: Path, files: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Pack the images of `catalog`, which lie in the folder `files`, into the Zarr store `out`.

    It happens in this process, whatever the cluster.
    """
    with making(specs.store("images"), out, {"catalog": catalog, "files": files}) as new:
        if new.finished:
            return
        rows = read_image_catalog(catalog)
        with new.file(out) as private:
            pack_images(rows, files, _triangles(files), _correspondences(files), private)
        store = ImageStore(out)
        new.describe = {"images": len(store), "size": list(store.size)}


def _triangles(folder: Path) -> np.ndarray | None:
    path = folder / TRIANGLES
    return read_npy(path, "run `repose convert` again") if path.exists() else None


def _correspondences(folder: Path) -> dict[tuple[str, str], Correspondence]:
    path = folder / CORRESPONDENCES
    if not path.exists():
        return {}
    return {
        (row.source_image, row.target_image): read_corr(Path(row.corr))
        for row in read_rows(path).itertuples(index=False)
    }
