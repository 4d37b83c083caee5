"""Compute a distance matrix from a mesh and publish it in the store; choose the backend, with a fallback if needed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repose.errors import MeshError, ReposeError
from repose.gih import intrinsic, layout, order, reference, solver, store
from repose.gih.convention import METRES, Settings
from repose.gih.costs import asks_for_gpu
from repose.gih.factor import factorise
from repose.gih.intrinsic import Float, Int, RefusedMesh
from repose.gih.layout import MeshInfo
from repose.gih.solver import Matrix
from repose.provenance.listing import blake3_of_file

Backend = Literal["auto", "cpu", "cuda", "potpourri3d"]

_DRIVER = Path("/proc/driver/nvidia")
_FULL_DOUBLES = {(6, 0), (7, 0), (8, 0), (9, 0), (10, 0)}
"""Compute capabilities with float64 at half the rate of float32; the others have a thirty-second of it or less (CUDA C
programming guide, "Throughput of native arithmetic instructions"), and lose to one core."""
_TURN = threading.Lock()
"""One mesh at a time is on the GPU: it has the memory, and the order of sums is a matter of the whole process."""


@dataclass(frozen=True)
class Solution:
    """A distance matrix and how it was computed; all other fields are those of :class:`MeshInfo`."""

    matrix: Matrix
    t: float
    method: str
    backend: str
    note: str
    components: int


@dataclass(frozen=True)
class Outcome:
    """The result of one mesh.

    Attributes:
        name: of the mesh.
        key: of its matrix.
        digest: BLAKE3 of the metadata of its matrix, which contain the digests of its bands.
        hit: whether the matrix was already in the store.
        note: why another method was used; empty if none was.
    """

    name: str
    key: str
    digest: str
    hit: bool
    note: str


def distances(
    vertices: ArrayLike,
    faces: ArrayLike,
    settings: Settings = METRES,
    *,
    backend: Backend = "auto",
    workers: int = 1,
    ranks: NDArray[np.int32] | None = None,
    where: object = None,
) -> Solution:
    """Return all-pairs distances, computed by the best available backend.

    Args:
        vertices: (V, 3) metres. faces: (F, 3).
        settings: convention and time.
        backend: "auto" takes a GPU if there is one that should be faster than the workers, else the CPU; a surface that
            these refuse (non-manifold, non-orientable) goes to potpourri3d, which the result's ``note`` records. Other
            values force one backend. The released convention has no such fallback, because potpourri3d computes
            something else.
        workers: how many meshes are computed at a time, each on one core.
        ranks: (V,) vertex order of rows and columns.
        where: names the mesh in errors.

    Raises:
        MeshError: the mesh is not valid, or the published code cannot compute its distances (released convention).
        ReposeError: the backend is not available, or does not support the convention.
    """
    v, f = intrinsic.check_mesh(vertices, faces, where)
    if backend == "potpourri3d":
        if settings.is_released:
            raise ReposeError(
                "potpourri3d does not compute as the published code does", where, "--backend auto"
            )
        return _by_reference(v, f, settings, ranks, "", where)
    device = _device(backend, len(v), workers)
    try:
        operators = solver.operators(v, f, settings, where)
        if device:
            from repose.gih import torch_backend  # torch takes seconds to import

            with _TURN:
                matrix = torch_backend.all_pairs(operators, settings, order=ranks, device=device, where=where)
        else:
            factors = factorise(operators, settings.time, where)
            matrix = solver.solve(factors, settings, order=ranks, where=where)
    except RefusedMesh as refusal:
        if settings.is_released:
            raise MeshError(
                refusal.what, where, "the published code takes no such mesh; use metres"
            ) from None
        return _by_reference(v, f, settings, ranks, refusal.what, where)
    t = settings.time or float(np.median(operators.h)) ** 2
    return Solution(matrix, t, "heat", device or "cpu", "", int(operators.component.max()) + 1)


def _by_reference(
    vertices: Float, faces: Int, settings: Settings, ranks: NDArray[np.int32] | None, note: str, where: object
) -> Solution:
    matrix = reference.all_pairs(vertices, faces, settings.time, where)
    if ranks is not None:
        matrix = matrix[np.ix_(ranks, ranks)]
    t = settings.time or reference.mean_edge(vertices, faces) ** 2
    count = int(intrinsic.components(faces, len(vertices)).max()) + 1
    return Solution(matrix, t, "potpourri3d", "potpourri3d", note, count)


def _device(backend: Backend, vertices: int, workers: int) -> str | None:
    """The torch device to use, or None for the CPU kernel."""
    if not asks_for_gpu(backend, vertices, workers) or (backend == "auto" and not _DRIVER.exists()):
        return None
    import torch  # takes seconds to import: imported only if there is a driver, or the user asks for it

    if torch.cuda.is_available():
        wins = backend == "cuda" or torch.cuda.get_device_capability() in _FULL_DOUBLES
        return "cuda" if wins else None
    if backend == "cuda":
        raise ReposeError("no CUDA device", "--backend cuda", "use --backend auto")
    return None


def mesh_into_store(
    root: Path,
    name: str,
    vertices: ArrayLike,
    faces: ArrayLike,
    settings: Settings,
    *,
    backend: Backend = "auto",
    workers: int = 1,
) -> Outcome:
    """Compute and publish one mesh unless its matrix is in the store; :func:`store.commit` writes the index later.

    `backend` and `workers` are those of :func:`distances`.

    Raises:
        MeshError: the mesh is not valid.
    """
    v, f = intrinsic.check_mesh(vertices, faces, name)
    requested = "potpourri3d" if backend == "potpourri3d" else "heat"
    key, solution = solve_into_store(
        root, v, f, settings, requested,
        lambda ranks: distances(v, f, settings, backend=backend, workers=workers, ranks=ranks, where=name),
    )  # fmt: skip
    digest, note = _metadata_digest(root / key), solution.note if solution else ""
    return Outcome(name, key, digest, solution is None, note)


def _metadata_digest(folder: Path) -> str:
    try:
        return blake3_of_file(folder / "zarr.json")
    except OSError as error:
        raise ReposeError(
            f"metadata cannot be read: {error.strerror}", folder, "delete it and run again"
        ) from None


def solve_into_store(
    root: Path,
    vertices: Float,
    faces: Int,
    settings: Settings,
    method: str,
    solve: Callable[[NDArray[np.int32]], Solution],
) -> tuple[str, Solution | None]:
    """Publish the matrix that ``solve`` returns for the store's vertex order, unless it is in the store already.

    Args:
        root: the store. vertices, faces: a mesh that :func:`repose.gih.intrinsic.check_mesh` returned.
        settings: settings of the store.
        method: how the matrix is computed, for its key.
        solve: function of the (V,) vertex order that returns the matrix in that order.

    Returns:
        The key, and the published solution; None in its place if the matrix was in the store already.
    """
    ranks = order.tour(faces, len(vertices))
    topology, ranks_id = order.topology_id(faces, len(vertices)), order.order_id(ranks)
    key = layout.content_key(vertices, faces, settings, method, ranks_id)
    store.write_order(root, topology, ranks)
    if (root / key).exists():
        return key, None
    solution = solve(ranks)
    info = MeshInfo(
        key=key,
        vertices=len(vertices),
        topology=topology,
        order=ranks_id,
        scale=layout.scale_of(solution.matrix),
        settings=settings,
        **{name: value for name, value in vars(solution).items() if name != "matrix"},
    )
    store.write_matrix(root, info, solution.matrix)
    return key, solution
