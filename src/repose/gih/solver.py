"""All-pairs geodesic distances in heat (GIH) of one mesh.

The heat method of Crane, Weischedel & Wardetzky 2013 ("Geodesics in Heat", ACM TOG 32(5)): let heat flow
from the source for a time t, normalise its gradient, and find the function whose gradient comes closest.
Both linear systems are factorised once and all V sources are solved in blocks.
"""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repose.errors import MeshError
from repose.gih import intrinsic, kernels, released
from repose.gih.convention import METRES, Settings
from repose.gih.factor import Factors, factorise
from repose.gih.intrinsic import Float, Int, Operators

Matrix = NDArray[np.float32]
Result = TypeVar("Result")


def all_pairs(
    vertices: ArrayLike,
    faces: ArrayLike,
    settings: Settings = METRES,
    *,
    threads: int = 1,
    order: NDArray[np.integer] | None = None,
    where: object = None,
) -> Matrix:
    """Return the geodesic distance between every two vertices, by the fast kernel.

    Args:
        vertices: (V, 3) metres. faces: (F, 3) indices into them.
        settings: time of the heat flow and unit of the result.
        threads: worker threads; the kernels release the GIL.
        order: (V,) permutation; row and column r of the result belong to vertex ``order[r]``.
        where: names the mesh in errors.

    Returns:
        (V, V) float32, symmetric, zero diagonal; metres (doubled in the released convention); inf between
        vertices of different components.

    Raises:
        MeshError: the arrays are not a valid mesh, or heat does not reach across it in double precision.
        RefusedMesh: the surface is valid, but this kernel cannot take it; in metres, :mod:`repose.gih.reference` can.
    """
    parts = operators(*intrinsic.check_mesh(vertices, faces, where), settings, where)
    out = None
    with ThreadPoolExecutor(threads) as pool:
        if threads > 1:  # at this point another thread can only have the system allocate the memory
            out = np.empty((len(parts.mass),) * 2, np.float32)
            touched = pool.submit(kernels.touch, out)
        factors = factorise(parts, settings.time, where)
        del parts  # freed before the result is in memory, too
        if threads > 1:
            touched.result()  # wait, or a thread that was late to get a core would write over distances
        return solve(factors, settings, others=(pool, threads - 1), order=order, where=where, out=out)


def operators(vertices: Float, faces: Int, settings: Settings, where: object = None) -> Operators:
    """Return the operators of the convention, for arrays that :func:`repose.gih.intrinsic.check_mesh` returned.

    Raises:
        MeshError: a face has zero area, for which the published code gives NaN.
        RefusedMesh: the convention cannot take the surface.
    """
    build = released.build if settings.is_released else intrinsic.build
    return build(vertices, faces, where)


def solve(
    factors: Factors,
    settings: Settings = METRES,
    *,
    others: tuple[Executor | None, int] = (None, 0),
    order: NDArray[np.integer] | None = None,
    where: object = None,
    out: Matrix | None = None,
) -> Matrix:
    """Return the symmetric distance matrix of factorised operators, in ``out`` if given; see :func:`all_pairs`.

    ``others`` is an executor and the number of its threads that help the calling thread. The same threads do both
    loops, so each keeps its core.
    """
    f, n = factors, len(factors.position)
    out = np.empty((n, n), np.float32) if out is None else out
    source = f.position if order is None else f.position[order]
    turn, next_turn = np.zeros(1, np.int64), np.zeros(1, np.int64)

    def some_distances() -> tuple[int, int]:
        return kernels.distances(
            turn, f.component, source, f.h,
            f.faces, f.weights, f.inverse_area, f.floor, f.parent, f.heat, f.down, f.up, out,
        )  # fmt: skip

    cold, negative = np.sum(_on_all(others, some_distances), axis=0).tolist()
    if not settings.is_released:  # the published code accepts such heat
        check_heat(cold, negative, where)
    nans = sum(_on_all(others, lambda: kernels.symmetrise(next_turn, settings.factor, out)))
    if nans:
        raise MeshError(f"{nans} distances came out as NaN", where, "please report this mesh")
    return out


def _on_all(others: tuple[Executor | None, int], work: Callable[[], Result]) -> list[Result]:
    """Call ``work`` in this thread and, at the same time, in each of the other threads, and return all results."""
    executor, count = others
    futures = [executor.submit(work) for _ in range(count)] if executor else []
    return [work(), *(future.result() for future in futures)]


def check_heat(cold: int, negative: int, where: object) -> None:
    """Raise unless the heat of every source was positive and above underflow on its whole component."""
    if cold:
        raise MeshError(
            f"heat does not reach {cold} pairs of vertices: the mesh is too many edges long for this time t",
            where,
            "give a larger t (square metres), or a mesh of fewer edges",
        )
    if negative:
        raise intrinsic.RefusedMesh("obtuse triangles along the border make heat negative", where)
