"""The order in which a store keeps vertices: a nearest-neighbour tour over one mesh of each topology."""

import hashlib

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def tour(distances: np.ndarray) -> np.ndarray:
    """From vertex 0 always to the nearest vertex not yet visited.

    Neighbours on the surface become neighbours in the matrix, which is what the predictor of
    :mod:`repose.gih.codec` lives on: 11.5 MB a mesh instead of 17.8 in file order and 50 in random order.

    Args:
        distances: (V, V) float32. inf is further than everything.

    Returns:
        (V,) int32 permutation: ``order[r]`` is the vertex of rank r.
    """
    n = len(distances)
    left = np.arange(n, dtype=np.int32)
    order = np.empty(n, np.int32)
    here = 0
    for rank in range(n):
        best = rank
        row = distances[here]
        for k in range(rank, n):
            if row[left[k]] < row[left[best]]:
                best = k
        if rank == 0:
            best = 0
        here = left[best]
        left[best] = left[rank]
        order[rank] = here
    return order


def topology_id(n_vertices: int, faces: NDArray[np.int32]) -> str:
    """Content hash of a topology: meshes with equal ids share one vertex order."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"topology {n_vertices} {len(faces)} ".encode())
    digest.update(np.ascontiguousarray(faces, "<i4").tobytes())
    return digest.hexdigest()


def order_id(order: NDArray[np.int32]) -> str:
    """Content hash of a vertex order."""
    return hashlib.blake2b(np.ascontiguousarray(order, "<i4").tobytes(), digest_size=16).hexdigest()


def is_permutation(order: NDArray[np.integer]) -> bool:
    """Whether ``order`` names each of 0..V-1 once."""
    return order.ndim == 1 and np.array_equal(np.sort(order), np.arange(len(order)))
