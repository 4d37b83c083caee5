"""The figure of a table: one row per test triple, with the transfers of all methods and the truth."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from repose.data.meshes import centred
from repose.mesh.metrics import bbox_centred
from repose.mesh.render import common_view, render
from repose.report.sheet import contact_sheet, error_colours
from repose.report.shown import Shown, by_dataset, spread
from repose.store.mesh_store import MeshStore

EXAMPLES = 4  # triples of each dataset
GIVEN = ("identity", "pose", "truth")
SIZE = (260, 200)  # pixels
SCALE_M = 0.3  # metres; the error that has the last colour

open_store = MeshStore


def draw(shown: Sequence[Shown[MeshStore]], examples: int = EXAMPLES) -> bytes:
    """Draw some test triples of each dataset with the result of every method, coloured by its error.

    Args:
        shown: predictions, with the methods of a dataset in a row; all datasets have the same methods.
        examples: number of triples of each dataset, spread over the list.

    Returns:
        A PNG.
    """
    rows, titles = [], []
    for methods in by_dataset(shown):
        names = methods[0].names("triples")
        predictions = [item.vertices for item in methods]
        for index in spread(len(names), examples):
            found = [array.rows(index, index + 1)[0] for array in predictions]
            rows.append(_pictures(methods[0].store, names[index], found))
            titles.append("\n".join([methods[0].dataset, *names[index]]))
    columns = [*GIVEN, *(item.method for item in by_dataset(shown)[0])]
    return contact_sheet(rows, columns, titles, scale=(SCALE_M * 100, "cm"))


def _pictures(
    store: MeshStore, names: list[str], predictions: list[NDArray[np.float32]]
) -> list[NDArray[np.uint8]]:
    given = centred(store.vertices(np.array([store.index_of(name) for name in names])))
    found = [bbox_centred(torch.from_numpy(vertices)) for vertices in predictions]
    # One scale for the row, so that a body has the same size in all images.
    view = common_view([mesh.numpy() for mesh in (*given, *found)], SIZE)
    pictures = [render(mesh.numpy(), store.faces, SIZE, view) for mesh in given]
    for mesh in found:
        colours = error_colours((mesh - given[2]).norm(dim=-1).numpy(), SCALE_M)
        pictures.append(render(mesh.numpy(), store.faces, SIZE, view, colours))
    return pictures
