"""The reference backend: potpourri3d's heat method, one source at a time.

It takes surfaces that the fast kernel refuses (non-manifold edges, Möbius strips), because it works on the
tufted double cover of Sharp & Crane 2020. It is 20 times slower, and shifts its Laplacian by 1e-6, so its
distances are about 0.05 % short at 7,000 vertices.
"""

import numpy as np
import potpourri3d as pp

from repose.errors import MeshError
from repose.gih import intrinsic
from repose.gih.intrinsic import Float, Int
from repose.gih.solver import Matrix


def mean_edge(vertices: Float, faces: Int) -> float:
    """Return the mean edge length in metres, over the corners of all faces."""
    return float(intrinsic.edge_lengths(vertices, faces).mean())


def all_pairs(vertices: Float, faces: Int, t: float | None = None, where: object = None) -> Matrix:
    """Return symmetric (V, V) float32 distances in metres, inf between components, by potpourri3d.

    Each component is solved alone, because potpourri3d returns a plausible constant across components, and ends the
    process on unreferenced vertices.

    Args:
        vertices, faces: as returned by :func:`repose.gih.intrinsic.check_mesh`.
        t: time of the heat flow in square metres; None means potpourri3d's own squared mean edge length.
        where: names the mesh in errors.

    Raises:
        MeshError: potpourri3d fails.
    """
    component = intrinsic.components(faces, len(vertices))
    out = np.full((len(vertices),) * 2, np.inf, np.float32)
    for label in np.unique(component[faces[:, 0]]):
        inside = np.flatnonzero(component == label)
        local = np.full(len(vertices), -1, np.int32)
        local[inside] = np.arange(len(inside), dtype=np.int32)
        part = local[faces[component[faces[:, 0]] == label]]
        out[np.ix_(inside, inside)] = _component(vertices[inside], part, t, where)
    np.fill_diagonal(out, 0)
    return out


def _component(vertices: Float, faces: Int, t: float | None, where: object) -> Matrix:
    steps = 1.0 if t is None else t / mean_edge(vertices, faces) ** 2
    try:
        solver = pp.MeshHeatMethodDistanceSolver(vertices, faces, t_coef=steps, use_robust=True)
        rows = np.array([solver.compute_distance(source) for source in range(len(vertices))], np.float32)
    except (RuntimeError, ValueError) as error:
        raise MeshError(f"potpourri3d gives up: {error}", where, "repair the mesh") from error
    if not np.isfinite(rows).all():
        raise MeshError("potpourri3d returned distances that are not finite", where, "repair the mesh")
    return np.maximum(0.5 * (rows + rows.T), 0)
