"""Stage `store` of a dataset of images: catalogue, PNGs and labels → packed images."""

from pathlib import Path

import numpy as np
import pandas as pd

from repose import specs
from repose.cluster import THREADS, Cluster
from repose.convert.image_catalog import read_image_catalog
from repose.provenance.making import making
from repose.raw.corr import Correspondence, read_corr
from repose.store.image_pack import pack_images
from repose.store.image_store import ImageStore


def run(catalog: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Pack the images of `catalog` into the Zarr store `out`, in this process whatever the cluster."""
    rows, folder = read_image_catalog(catalog), catalog.parent / "img"
    with making(specs.store("images"), out, {"catalog": catalog}) as new:
        if new.finished:
            return
        with new.file(out) as private:
            pack_images(rows, folder, _triangles(folder), _correspondences(folder), private)
        store = ImageStore(out)
        new.describe = {"images": len(store), "size": list(store.size)}


def _triangles(folder: Path) -> np.ndarray | None:
    path = folder / "triangles.npy"
    return np.load(path, allow_pickle=False) if path.exists() else None


def _correspondences(folder: Path) -> dict[tuple[str, str], Correspondence]:
    path = folder / "pairs.parquet"
    if not path.exists():
        return {}
    pairs = pd.read_parquet(path)
    pairs = pairs[pairs["corr"] != ""]
    return {
        (row.source_image, row.target_image): read_corr(Path(row.corr))
        for row in pairs.itertuples(index=False)
    }
