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
    """Geodesic distance between every two vertices, by the fast kernel.

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
        MeshError: the arrays are no mesh, or heat does not reach across it in double precision.
        RefusedMesh: a valid surface this kernel cannot take; in metres, :mod:`repose.gih.reference` can.
    """
    parts = operators(*intrinsic.check_mesh(vertices, faces, where), settings, where)
    out = None
    with ThreadPoolExecutor(threads) as pool:
        if threads > 1:  # another has no more to do yet than have the system hand out the memory
            out = np.empty((len(parts.mass),) * 2, np.float32)
            touched = pool.submit(kernels.touch, out)
        factors = factorise(parts, settings.time, where)
        del parts  # before there is a result beside it
        if threads > 1:
            touched.result()  # or a thread that had to wait for a core would write over distances
        return solve(factors, settings, others=(pool, threads - 1), order=order, where=where, out=out)


def operators(vertices: Float, faces: Int, settings: Settings, where: object = None) -> Operators:
    """The operators of the convention, for arrays that :func:`repose.gih.intrinsic.check_mesh` returned.

    Raises:
        MeshError: a zero-area face, of which the published code makes NaN.
        RefusedMesh: a surface that the convention cannot take.
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
    """The symmetric distance matrix of factorised operators, in ``out`` if given; see :func:`all_pairs`.

    The other threads are some of an executor: they are the same for all that there is to do, as each has a core then.
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
    if not settings.is_released:  # the published code takes such heat as it is
        check_heat(cold, negative, where)
    nans = sum(_on_all(others, lambda: kernels.symmetrise(next_turn, settings.factor, out)))
    if nans:
        raise MeshError(f"{nans} distances came out as NaN", where, "please report this mesh")
    return out


def _on_all(others: tuple[Executor | None, int], work: Callable[[], Result]) -> list[Result]:
    """What a call of ``work`` gives in this thread, and in each of the others at the same time."""
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
