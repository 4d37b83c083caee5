"""The figure of a table of transfers and generated poses: a row of bodies per method and protocol."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from repose.data.meshes import centred
from repose.mesh.render import common_view, render
from repose.report.sheet import contact_sheet
from repose.report.shown import Shown, spread
from repose.store.mesh_store import MeshStore

EXAMPLES = 8  # bodies in a row
SIZE = (220, 170)  # pixels

open_store = MeshStore


def draw(shown: Sequence[Shown[MeshStore]], examples: int = EXAMPLES) -> bytes:
    """Draw bodies of every method, with the same triples for all transfers, whose truths come first.

    Args:
        shown: predictions of transfers and of generated poses.
        examples: number of bodies of each, spread over the list.

    Returns:
        A PNG.
    """
    rows, titles = [], []
    truths: set[tuple[str, str]] = set()
    for item in shown:
        protocol = item.predictions.name
        posed = item.vertices
        chosen = spread(posed.shape[0], examples)
        if item.has("triples") and (item.dataset, protocol) not in truths:
            truths.add((item.dataset, protocol))
            names = item.names("triples")
            truth = item.store.vertices(np.array([item.store.index_of(names[k][2]) for k in chosen]))
            rows.append(_drawn(truth, item.store))
            titles.append(f"{item.dataset}\ntruth\n{protocol}")
        rows.append(_drawn(np.stack([posed.rows(k, k + 1)[0] for k in chosen]), item.store))
        titles.append(f"{item.dataset}\n{item.method}\n{protocol}")
    return contact_sheet(rows, (), titles)


def _drawn(meshes: NDArray[np.float32], store: MeshStore) -> list[NDArray[np.uint8]]:
    placed = centred(meshes).numpy()
    view = common_view(list(placed), SIZE)
    return [render(mesh, store.faces, SIZE, view) for mesh in placed]
