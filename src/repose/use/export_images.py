"""Write a dataset of images in the layout of Intrinsic Flow's archives, which its released code reads, too."""

import json
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from repose.columns import PAIR
from repose.errors import ReposeError
from repose.images.classes import BACKGROUND
from repose.predict.read_images import generated_images, pairs_of
from repose.progress import track
from repose.provenance.publish import publish
from repose.raw.corr import Correspondence, write_corr
from repose.reading import foreign, read_rows
from repose.store.image_store import ImageStore

IMAGES, MAPS, CORR, LABELS = "Img/img", "Img/seg", "3d/hmr/corr", "Label"
SMALL = 5  # step between the test pairs in `test_small`
MISSING = -1
BATCH = 32  # generated images read at once


def export_archive(store: ImageStore, splits: Sequence[Path], out: Path) -> None:
    """Write images, label maps, joints, pair lists, and a .corr file per pair.

    A .corr file takes 9 bytes per pixel, so a folder of all pairs is far larger than the store, which needs none.

    Args:
        store: the images.
        splits: parquet files of pairs.
        out: the folder to create, which must not exist.
    """
    if out.exists():
        raise ReposeError("is there already", out, "name a new folder")
    pairs = pd.concat([read_rows(split) for split in splits], ignore_index=True)
    with publish(out) as private:
        for folder in (IMAGES, MAPS, CORR, LABELS):
            (private / folder).mkdir(parents=True)
        for row in track(range(len(store)), len(store), "images"):
            name = _file_name(store.image_ids[row], store.path)
            Image.fromarray(store.images([row])[0]).save(private / IMAGES / f"{name}.jpg", quality=95)
            Image.fromarray(store.segmentation([row])[0]).save(private / MAPS / f"{name}.bmp")
        for row in track(pairs.itertuples(index=False), len(pairs), "corr"):
            names = [_file_name(name, out) for name in (row.source_image, row.target_image)]
            corr = correspondence(store, *names)
            write_corr(private / CORR / f"{names[1]}_{names[0]}.corr", corr)
        (private / LABELS / "pair_split.json").write_text(json.dumps(_lists(pairs), indent=0) + "\n")
        (private / LABELS / "pose_label.pkl").write_bytes(pickle.dumps(_joints(store), protocol=2))


def export_generated(predictions: Path, out: Path) -> None:
    """Write generated images as `{source}_{target}.jpg` to a folder for the released evaluation.

    Args:
        predictions: output of the stage `predict`; images of all its protocols go into one folder.
        out: the folder to create, which must not exist.
    """
    if out.exists():
        raise ReposeError("is there already", out, "name a new folder")
    if not predictions.exists():
        raise ReposeError("no predictions", predictions, "run the workflow for its scores first")
    with publish(out) as private:
        private.mkdir()
        for protocol in sorted(path.name for path in predictions.iterdir() if path.is_dir()):
            pairs = pairs_of(predictions, protocol)
            images = generated_images(predictions, protocol, pairs).get("image")
            if images is None:
                raise ReposeError(f"the method draws no images of the {protocol} pairs", predictions)
            for row, pair in track(enumerate(pairs), len(pairs), f"drawn {protocol}"):
                if row % BATCH == 0:
                    some = images.rows(row, row + BATCH)
                name = _file_name("_".join(pair), predictions)
                with foreign(predictions / protocol, "not images"):
                    image = Image.fromarray(some[row % BATCH])
                image.save(private / f"{name}.jpg", quality=95)


def _file_name(name: str, where: Path) -> str:
    """Return a name from other people's results if it is a valid file name here."""
    if "/" in name or name.startswith(".") or not name.isprintable() or not 0 < len(os.fsencode(name)) < 240:
        raise ReposeError(f"an image has the name {name[:80]!r}", where, "do not trust these results")
    return name


def correspondence(store: ImageStore, source: str, target: str) -> Correspondence:
    """Return the positions in the source that each pixel of the target shows, as in a .corr file."""
    flow, visibility = store.flow(store.index_of(source), store.index_of(target))
    height, width = visibility.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    position = np.where(visibility[..., None] < BACKGROUND, flow + grid, 0)
    return Correspondence(position.astype(np.float32), visibility)


def _lists(pairs: pd.DataFrame) -> Mapping[str, list[list[str]]]:
    names = pairs[PAIR]
    found = {role: names[pairs.role == role].to_numpy().tolist() for role in ("train", "val", "test")}
    return {**found, "test_small": found["test"][::SMALL]}


def _joints(store: ImageStore) -> dict[str, list[list[float]]]:
    joints = store.joints(np.arange(len(store))).astype(np.float64)
    places = np.where(joints[..., 2:] > 0, joints[..., :2], MISSING)
    return dict(zip(store.image_ids, places.tolist(), strict=True))
