"""Import the published ``*.pkl`` matrices without ever running a pickle.

They are bare numpy arrays of float32; anything else in a file is an error.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repose.array_pickle import read_pickle
from repose.errors import ReposeError
from repose.gih import compute, intrinsic, store
from repose.gih.convention import RELEASED_T, Settings
from repose.gih.scale import MeshSource

RELEASED = Settings(convention="released")

IMPORTED = Settings(convention="metres", t=RELEASED_T)
"""What the imported numbers are once halved: metres, at the released time."""

SAMPLE = 32
"""Vertices whose distances are compared with a recomputation."""

MAX_DIFFERENCE = 0.005
"""Mean relative difference to the recomputation above which it must be another mesh, or another unit.

The published code rounds to float32, which is 0.005 % at 6,890 vertices; another pose of the same body differs by 1 %
and more (docs/gih.md).
"""


def read_matrix(path: Path) -> NDArray[np.float32]:
    """Read one pickled (V, V) float32 array.

    Raises:
        ReposeError: the file contains anything else, or is cut short.
    """
    array = read_pickle(path)
    if type(array) is not np.ndarray or array.dtype != np.float32:
        kind = getattr(array, "dtype", type(array).__name__)
        raise ReposeError(f"holds {kind}, not a bare float32 array", path, "nothing else is read")
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not len(array):
        raise ReposeError(f"has shape {array.shape}, not (V, V)", path)
    if np.isnan(array).any() or (array < 0).any():
        raise ReposeError("holds NaN or negative distances", path, "recompute it from the mesh")
    return array


def to_metres(released: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert published values to metres: halve them (they are twice the distance), and symmetrise rounding errors."""
    return 0.25 * (released + released.T)


def check(metres: NDArray[np.float32], vertices: ArrayLike, faces: ArrayLike, where: Path) -> float:
    """Compare an imported matrix with a recomputation at the released time on some rows.

    Returns:
        The mean relative difference over the sample. A ten-thousandth is normal, as the recomputation uses the same
            formulas in float64 and the published code works in float32.

    Raises:
        ReposeError: the difference is larger than :data:`MAX_DIFFERENCE`.
    """
    ours = compute.distances(vertices, faces, RELEASED, where=where).matrix / np.float32(RELEASED.factor)
    rows = np.random.default_rng(0).choice(len(metres), min(SAMPLE, len(metres)), replace=False)
    expected, found = ours[rows], metres[rows]
    compared = np.isfinite(expected) & (expected > 0)
    difference = float(np.mean(np.abs(found[compared] - expected[compared]) / expected[compared]))
    if not difference <= MAX_DIFFERENCE:
        raise ReposeError(
            f"differs from a recomputation by {difference:.1%} on average",
            where,
            "another mesh, or not metres?",
        )
    return difference


def import_pickles(
    pickles: Mapping[str, Path], meshes: Mapping[str, MeshSource], root: Path, checked: int = 3
) -> dict[str, float]:
    """Import pickled matrices into a store, in metres.

    Args:
        pickles: mesh name to file. meshes: mesh name to its geometry, which every pickle needs.
        root: the store, with settings :data:`IMPORTED`; it is created if missing.
        checked: how many of the matrices to compare with a recomputation, evenly spread.

    Returns:
        The mean relative difference of each checked matrix, by mesh name.

    Raises:
        ReposeError: a pickle has no mesh, or :func:`read_matrix` or :func:`check` refuses it. The pickles before it are
            in the store then.
    """
    if missing := sorted(set(pickles) - set(meshes)):
        raise ReposeError(f"no mesh for {len(missing)} pickles", missing[0], "file names must match")
    store.create(root, IMPORTED)
    sample = set(np.linspace(0, len(pickles) - 1, min(checked, len(pickles))).astype(int).tolist())
    differences, keys = {}, {}
    try:
        for place, (name, file) in enumerate(sorted(pickles.items())):
            vertices, faces = intrinsic.check_mesh(*meshes[name](), name)
            metres = to_metres(read_matrix(file))
            if len(metres) != len(vertices):
                what = f"has {len(metres)} vertices, its mesh has {len(vertices)}"
                raise ReposeError(what, file, "wrong mesh?")
            if place in sample:
                differences[name] = check(metres, vertices, faces, file)
            keys[name] = _publish(root, metres, vertices, faces)
    finally:
        store.commit(root, keys)
    return differences


def _publish(root: Path, metres: NDArray[np.float32], vertices: intrinsic.Float, faces: intrinsic.Int) -> str:
    content = hashlib.blake2b(metres.tobytes(), digest_size=16).hexdigest()
    components = int(intrinsic.components(faces, len(vertices)).max()) + 1

    def ordered(ranks: NDArray[np.int32]) -> compute.Solution:
        matrix = metres[np.ix_(ranks, ranks)]
        return compute.Solution(matrix, RELEASED_T, "imported", "published pickle", "", components)

    return compute.solve_into_store(root, vertices, faces, IMPORTED, f"imported {content}", ordered)[0]
