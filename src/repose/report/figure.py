"""The figure of a table: transfers beside the truth, a row per method and test triple."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr
from numpy.typing import NDArray

from repose.mesh.metrics import bbox_centred
from repose.report.render import common_view, error_colours, render
from repose.report.sheet import contact_sheet
from repose.store.meshes import MeshStore
from repose.train.batches import centred

COLUMNS = ("identity", "pose", "truth", "prediction", "error")
SIZE = (260, 200)  # pixels
SCALE_M = 0.3  # the error that gets the last colour


@dataclass(frozen=True)
class Shown:
    """Predictions of one method on one protocol, to draw."""

    dataset: str
    method: str
    predictions: Path
    store: MeshStore


def figure(shown: list[Shown], triples: int) -> bytes:
    """Draw some test triples of every method, the same ones for all methods of a dataset.

    Args:
        shown: predictions, in the order of the rows.
        triples: how many, spread over the list.

    Returns:
        A PNG.
    """
    rows, titles = [], []
    for item in shown:
        triple_names = zarr.open_group(item.predictions, mode="r").attrs["triples"]
        vertices = zarr.open_array(item.predictions / "vertices", mode="r")
        names = pd.DataFrame(triple_names, columns=["identity", "pose", "truth"])
        for index in np.linspace(0, len(names) - 1, triples).astype(int):
            prediction = np.asarray(vertices[int(index)])
            rows.append(list(_pictures(item.store, names.iloc[index], prediction)))
            titles.append(f"{item.dataset}\n{item.method}\n{names.truth[index]}")
    return contact_sheet(rows, COLUMNS, titles, scale=(SCALE_M * 100, "cm"))


def _pictures(
    store: MeshStore, names: pd.Series, prediction: NDArray[np.float32]
) -> Iterator[NDArray[np.uint8]]:
    indices = np.array([store.index_of(names[column]) for column in COLUMNS[:3]])
    meshes = [*centred(store.vertices(indices)), bbox_centred(torch.from_numpy(prediction))]
    # One scale for the row, so that a body keeps its size from picture to picture.
    view = common_view([mesh.numpy() for mesh in meshes], SIZE)
    for mesh in meshes:
        yield render(mesh.numpy(), store.faces, SIZE, view)
    distance = (meshes[3] - meshes[2]).norm(dim=-1).numpy()
    yield render(meshes[3].numpy(), store.faces, SIZE, view, error_colours(distance, SCALE_M))
