"""Correspondence of two surfaces: functional maps from several starts are refined, and the best one is kept.

ZoomOut (Melzi et al., SIGGRAPH Asia 2019) alternates between vertices from a map and a map of more eigenvectors from
the vertices. Here it runs in both directions at once, so that no part of a surface is left out (Ren et al., SIGGRAPH
Asia 2020). How reliable the signatures are is not known beforehand, so maps start from various numbers of eigenvectors;
the map that keeps the orientation of most of the surface and reaches most of it is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from repose.mesh.operators import Faces, Float, face_normals
from repose.mesh.spectrum import Surface
from repose.methods.spectral.start import functional_map, with_signatures

Int = NDArray[np.integer]
Pairs = tuple[Int, Int]  # for each point of the target a point of the source, and the other way round
Maps = tuple[Float, Float]  # (k, k) functional map from source to target, and back

_STARTS = 6, 8, 10, 12, 15, 20  # numbers of eigenvectors that maps start from
_SLOWLY = 20  # number of eigenvectors up to which a round adds 1
_CHOSEN = 40  # number up to which it adds 4; then one map is chosen, and each round adds 5
_FEW, _MANY = 400, 1500  # points of each surface used before that choice and after it
_RIDGE = 1e-9  # ridge, against the masses of all points, which are about 1
_ROWS = 1024  # points compared at a time


class Points(NamedTuple):
    """Vertices of both surfaces, all or some: eigenvectors (N, K) and (M, K), and masses (N,) and (M,)."""

    source: Float
    target: Float
    source_masses: Float
    target_masses: Float

    def some(self, count: int) -> Points:
        """Return at most so many points of each surface, in no particular order."""
        draws = [np.random.default_rng(0).permutation(len(x))[:count] for x in (self.source, self.target)]
        return Points(*(x[draws[k % 2]] for k, x in enumerate(self)))


def matched(
    source: Surface,  # of N vertices
    source_faces: Faces,  # (F, 3)
    target: Surface,  # of M vertices
    target_faces: Faces,  # (G, 3)
) -> Int:  # (M,)
    """Return for each vertex of the target the matching vertex of the source."""
    sides = with_signatures((source, source_faces), (target, target_faces))
    points = Points(*(side.vectors for side in sides), *(side.masses for side in sides))
    most = points.source.shape[1]
    few, best, score = points.some(_FEW), (np.eye(1), np.eye(1)), -np.inf
    for start in sorted({min(count, most) for count in _STARTS}):
        rounds = [*range(start, _SLOWLY), *range(_SLOWLY, _CHOSEN + 1, 4)]
        maps = zoomed_out(few, _nearest_both(*_carried(few, functional_map(*sides, start))), rounds)
        own = kept(_nearest(*_seen(points, maps)), source, target_faces)
        if own > score:
            best, score = maps, own
    many = points.some(_MANY)
    maps = zoomed_out(many, _nearest_both(*_seen(many, best)), range(min(_CHOSEN + 5, most), most + 1, 5))
    return _nearest(*_seen(points, maps))


def zoomed_out(points: Points, pairs: Pairs, rounds: Iterable[int]) -> Maps:
    """Refine point pairs by ZoomOut and return maps of as many eigenvectors as the last round has."""
    for count in rounds:
        maps = _maps(points, pairs, count)
        pairs = _nearest_both(*_seen(points, maps))
    return maps


def kept(
    there: Int,  # (M,) a vertex of the source for each vertex of the target
    source: Surface,
    target_faces: Faces,  # (G, 3)
) -> float:
    """Return how far a map keeps the orientation, from -1 to 1, times the share of the source's area that it reaches.

    Faces of the target are weighted by the areas of their images on the source.
    """
    normals = face_normals(source.vertices, there[target_faces])
    along = (normals * source.normals[there[target_faces]].sum(axis=1)).sum(axis=1)
    reached = source.masses[np.unique(there)].sum()
    return float(along.sum() / max(np.abs(along).sum(), 1e-12) * reached)


def _maps(points: Points, pairs: Pairs, count: int) -> Maps:
    """Return the maps that fit the pairs best."""
    source, target = points.source[:, :count], points.target[:, :count]
    return (
        _fitted(target, points.target_masses, source[pairs[0]]),
        _fitted(source, points.source_masses, target[pairs[1]]),
    )


def _fitted(basis: Float, masses: Float, values: Float) -> Float:
    """Return the least-squares coefficients (k, k) for basis (N, k) @ coefficients = values (N, k).

    Eigenvectors that are 0 at all points, such as those of a small loose piece, get coefficients of 0.
    """
    weighed = masses[:, None] * basis
    gram = weighed.T @ basis + _RIDGE * np.eye(basis.shape[1])
    found: Float = solve(gram, weighed.T @ values, assume_a="pos")
    return found


def _carried(points: Points, one: Float) -> tuple[Float, Float]:
    """Return embeddings (M, k) of the target's points and (N, k) of the source's, by a map to the target alone."""
    return points.target[:, : len(one)] @ one, points.source[:, : len(one)]


def _seen(points: Points, maps: Maps) -> tuple[Float, Float]:
    """Return embeddings (M, 2 k) and (N, 2 k) of the points of target and source, in which matching points are near."""
    to_target, to_source = maps
    source, target = (x[:, : len(to_target)] for x in (points.source, points.target))
    return np.c_[target @ to_target, target], np.c_[source, source @ to_source]


def _nearest_both(target: Float, source: Float) -> Pairs:
    return _nearest(target, source), _nearest(source, target)


def _nearest(queries: Float, keys: Float) -> Int:
    """Return for each query (M, k) the number of the nearest key (N, k)."""
    queries, keys = queries.astype(np.float32), keys.astype(np.float32)
    halves = (keys**2).sum(axis=1) / 2
    some = (queries[row : row + _ROWS] for row in range(0, len(queries), _ROWS))
    return np.concatenate([(halves - part @ keys.T).argmin(axis=1) for part in some])
