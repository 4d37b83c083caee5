"""Stage `store` of a dataset of images: catalogue, PNGs and labels → packed images."""

from pathlib import Path

import numpy as np
import pandas as pd

from repose.convert.image_catalog import read_image_catalog
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.raw.corr import Correspondence, read_corr
from repose.store.image_pack import pack_images
from repose.store.image_store import ImageStore


def run(catalog: Path, out: Path) -> None:
    """Pack the images of `catalog` into the Zarr store `out`."""
    recorder = Recorder("store", stage_code("store-images"), {})
    rows = read_image_catalog(catalog)
    recorder.uses("catalog", manifest_path(catalog))
    if recorder.reuse(manifest_path(out)):
        return
    folder = catalog.parent / "img"
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        pack_images(rows, folder, _triangles(folder), _correspondences(folder), private)
    store = ImageStore(out)
    recorder.seal(manifest_path(out), [out], {"images": len(store), "size": list(store.size)})


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
