"""The quantities behind the metrics of version 1, for one triple; `repose.metrics.benchmark` names the metrics.

Functions take arrays and return a number. Distances are measured after the best translation, which aligns the means
over the surface; each vertex is weighted by its area in the truth, a third of all triangles around it.
"""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from repose.benchmark.parts import posed_like
from repose.mesh.intersections import intersecting_faces
from repose.mesh.operators import face_areas, face_normals, is_closed, unique_edges, vertex_areas, volume

Float = NDArray[np.float64]


class Pair:
    """A prediction of one triple and its references: the quantities that metrics are computed from.

    Args:
        out: (V, 3) metres, the prediction, in the order of the identity mesh.
        true: (W, 3) metres, the truth; in the same order, except for metrics that need no order.
        identity: (V, 3) metres, the identity mesh.
        faces: (F, 3) faces of all of these.
        failed: whether the method failed on the triple, so that the identity takes the place of its prediction.
        parts: (V,) the rigid part of each vertex; None: parts are not known.
    """

    def __init__(
        self,
        out: Float,
        true: Float,
        identity: Float,
        faces: NDArray[np.integer],
        failed: bool = False,
        parts: NDArray[np.integer] | None = None,
    ):
        self.out, self.true, self.faces, self.failed, self.parts = out, true, faces, failed, parts
        self._identity = identity

    @property
    def predicted(self) -> torch.Tensor:
        """(1, V, 3) metres."""
        return torch.from_numpy(self.out)[None]

    @property
    def truth(self) -> torch.Tensor:
        """(1, W, 3) metres."""
        return torch.from_numpy(self.true)[None]

    @property
    def identity(self) -> torch.Tensor:
        """(1, V, 3) metres."""
        return torch.from_numpy(self._identity)[None]

    @cached_property
    def edges(self) -> torch.Tensor:
        """(E, 2) undirected edges."""
        return torch.from_numpy(unique_edges(self.faces)).long()

    @cached_property
    def areas(self) -> Float:
        """(V,) m², of the vertices of the truth."""
        return vertex_areas(self.true, self.faces)

    @property
    def distances(self) -> Float:
        """(V,) metres, after the best translation."""
        moved = centred(self.out, self.areas) - centred(self.true, self.areas)
        return np.linalg.norm(moved, axis=1)

    @property
    def rigid_distances(self) -> Float:
        """(V,) metres, after the best translation and rotation."""
        return rigid_distances(self.out, self.true, self.areas)

    @cached_property
    def reposed(self) -> Float | None:
        """The truth (V, 3) in metres with its parts rotated as in the prediction; None if parts are not known."""
        return None if self.parts is None else posed_like(self.true, self.faces, self.out, self.parts)

    @property
    def closed_faces(self) -> NDArray[np.integer] | None:
        """The faces (F, 3), or None if they do not bound a solid."""
        return self.faces if is_closed(self.faces) else None


def centred(
    vertices: Float,  # (V, 3)
    weights: Float,  # (V,)
) -> Float:  # (V, 3)
    """Return the mesh about its weighted mean."""
    return vertices - (weights @ vertices) / weights.sum()


def rigid_distances(
    out: Float,  # (V, 3) metres
    true: Float,  # (V, 3) metres
    weights: Float,  # (V,)
) -> Float:  # (V,) metres
    """Return distances after the best weighted rotation and translation (Kabsch), without reflection."""
    a, b = centred(out, weights), centred(true, weights)
    u, _, vt = np.linalg.svd(a.T @ (weights[:, None] * b))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    return np.linalg.norm(a @ (u * flip @ vt) - b, axis=1)


def mean_mm(distances: Float, areas: Float) -> float:
    """Return the mean over the surface, millimetres."""
    return float(areas @ distances / areas.sum()) * 1000


def p95_mm(distances: Float, areas: Float) -> float:
    """Return the smallest distance that 95 % of the surface do not exceed, millimetres."""
    rising = np.argsort(distances, kind="stable")
    share = np.cumsum(areas[rising]) / areas.sum()
    return float(distances[rising][np.searchsorted(share, 0.95 - 1e-12)]) * 1000


def normal_deg(out: Float, true: Float, faces: NDArray[np.integer]) -> float:
    """Return the mean angle between the normals of both, weighted by the truth's areas, degrees.

    A flipped face counts as 180°; a face without an area, which has no normal, as 90°.
    """
    a, b = face_normals(out, faces), face_normals(true, faces)
    across, along = np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)
    angles = np.where((across == 0) & (along == 0), np.pi / 2, np.arctan2(across, along))
    return float(np.degrees(np.average(angles, weights=face_areas(true, faces))))


def volume_ratio(out: Float, true: Float, faces: NDArray[np.integer]) -> float:
    """Return the signed volume inside the prediction over that inside the truth."""
    return volume(out, faces) / volume(true, faces)


def new_self_intersections(out: Float, true: Float, faces: NDArray[np.integer]) -> float:
    """Return the share of faces that intersect a face without a common vertex, but do not in the truth."""
    return float((intersecting_faces(out, faces) & ~intersecting_faces(true, faces)).mean())


def pose_share(
    out: Float,  # (V, 3) metres
    true: Float,  # (V, 3) metres
    reposed: Float,  # (V, 3) metres, the truth with its parts rotated as in `out`
    areas: Float,  # (V,) m²
) -> float:
    """Return the share of the squared error that vanishes if the truth's parts are rotated as in the prediction.

    Errors are weighted by area, after the best translation. The result is 0 if the rotation does not reduce the error,
    and NaN if there is no error.
    """
    here, *there = (centred(mesh, areas) for mesh in (out, true, reposed))
    error, rest = (float(areas @ ((mesh - here) ** 2).sum(axis=1)) for mesh in there)
    return max(1 - rest / error, 0.0) if error > 0 else float("nan")


def shape_share(out: Float, true: Float, reposed: Float, areas: Float) -> float:
    """Return the rest: the share that no rotation of parts explains."""
    return 1 - pose_share(out, true, reposed, areas)


def as_number(failed: bool) -> float:
    """Return 1 for a triple on which a method failed, else 0."""
    return float(failed)
