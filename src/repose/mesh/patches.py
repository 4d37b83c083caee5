"""Patches of one triangulation: whole rings around every vertex, until the patch has enough vertices.

A patch depends on the faces alone, so one table serves every mesh of a template. Rings and sizes are those of IEP-GAN
(Chen et al., ICCV 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.mesh.operators import directed_edges

Int = NDArray[np.int32]


class PaddedPatches(NamedTuple):
    """Several patches as arrays of equal size: K patches, padded to P vertices and F faces."""

    vertices: NDArray[np.int64]  # (K, P) vertices of the template; padding repeats the seed
    is_vertex: NDArray[np.bool_]  # (K, P) false at padding
    faces: NDArray[np.int64]  # (K, F, 3) indices into `vertices`; padding is (0, 0, 0)
    is_face: NDArray[np.bool_]  # (K, F) false at padding


@dataclass(frozen=True)
class PatchTable:
    """The patch around every vertex of a template with V vertices.

    Attributes:
        faces: (F, 3) int32 faces of the template, each set of three vertices once.
        start: (V + 1,) start of the patch of each seed in `vertices`.
        inner: (V,) the number of its vertices inside the last ring; the faces of a patch are those around these.
        vertices: all patches one after the other, each from its seed outwards.
    """

    faces: Int
    start: NDArray[np.int64]
    inner: Int
    vertices: Int

    def __len__(self) -> int:
        return len(self.inner)

    def patch(self, seed: int) -> Int:
        """Return the vertices of the patch around `seed`, ring by ring."""
        return self.vertices[self.start[seed] : self.start[seed + 1]]

    def patch_faces(self, seed: int) -> Int:
        """Return the faces (f, 3) of the patch around `seed`, in the template's numbering, each once."""
        inside = np.zeros(len(self), bool)
        inside[self.patch(seed)[: self.inner[seed]]] = True
        return self.faces[inside[self.faces].any(axis=1)]

    def choose(
        self,
        scores: NDArray[np.floating],  # (V,)
        count: int,
    ) -> list[int]:
        """Return up to `count` seeds of disjoint patches, highest score first; fewer if no more fit."""
        covered = np.zeros(len(self), bool)
        seeds: list[int] = []
        for seed in np.argsort(-scores, kind="stable").tolist():
            patch = self.patch(seed)
            if covered[patch].any():
                continue
            seeds.append(seed)
            covered[patch] = True
            if len(seeds) == count:
                break
        return seeds

    def padded(self, seeds: list[int]) -> PaddedPatches:
        """Return the patches around `seeds`, as arrays of the size of the largest one."""
        patches = [self.patch(seed) for seed in seeds]
        faces = [self.patch_faces(seed) for seed in seeds]
        width, height = max(map(len, patches)), max(map(len, faces))
        out = PaddedPatches(
            np.repeat(np.array(seeds, np.int64)[:, None], width, axis=1),
            np.zeros((len(seeds), width), bool),
            np.zeros((len(seeds), height, 3), np.int64),
            np.zeros((len(seeds), height), bool),
        )
        place = np.zeros(len(self), np.int64)
        for k, (patch, patch_faces) in enumerate(zip(patches, faces, strict=True)):
            place[patch] = np.arange(len(patch))
            out.vertices[k, : len(patch)] = patch
            out.is_vertex[k, : len(patch)] = True
            out.faces[k, : len(patch_faces)] = place[patch_faces]
            out.is_face[k, : len(patch_faces)] = True
        return out


def patch_table(
    faces: np.ndarray,  # (F, 3), int
    vertex_count: int,
    size: int,
) -> PatchTable:
    """Grow a patch of at least `size` vertices around every vertex.

    A repeated face counts once. A component with fewer vertices than `size` is a patch as a whole.

    Raises:
        MeshError: `size` is larger than the mesh, or a vertex is in no face.
    """
    if not 3 <= size <= vertex_count:
        raise MeshError(f"patches of {size} vertices do not fit a mesh of {vertex_count}")
    if len(np.unique(faces)) != vertex_count:
        raise MeshError("a vertex is in no face", hint="remove loose vertices")
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    distinct = np.ascontiguousarray(faces[np.sort(first)], np.int32)
    start, neighbours = neighbour_lists(distinct, vertex_count)
    ends, inner, vertices = _grow(start, neighbours, size)
    return PatchTable(distinct, np.concatenate([[0], ends]), inner, vertices)


def neighbour_lists(faces: np.ndarray, vertex_count: int) -> tuple[NDArray[np.int64], Int]:
    """Return the start of each vertex's neighbours (V + 1,), and the neighbours of all, in ascending order."""
    ends = directed_edges(faces).astype(np.int64)
    keys = np.unique(np.concatenate([ends[:, 0] << 32 | ends[:, 1], ends[:, 1] << 32 | ends[:, 0]]))
    start = np.searchsorted(keys >> 32, np.arange(vertex_count + 1))
    return start.astype(np.int64), (keys & 0xFFFFFFFF).astype(np.int32)


@njit(cache=True)
def _grow(start, neighbours, size):
    count = len(start) - 1
    ends, inner = np.empty(count, np.int64), np.empty(count, np.int32)
    out = np.empty(count * size, np.int32)
    seen, queue = np.full(count, -1, np.int32), np.empty(count, np.int32)
    used = 0
    for seed in range(count):
        queue[0], seen[seed] = seed, seed
        ring, filled = 0, 1
        while filled < size and ring < filled:
            last = filled
            for at in range(ring, last):
                vertex = queue[at]
                for k in range(start[vertex], start[vertex + 1]):
                    if seen[neighbours[k]] != seed:
                        seen[neighbours[k]] = seed
                        queue[filled] = neighbours[k]
                        filled += 1
            ring = last
        if used + filled > len(out):
            grown = np.empty(2 * len(out) + filled, np.int32)
            grown[:used] = out[:used]
            out = grown
        out[used : used + filled] = queue[:filled]
        used += filled
        ends[seed], inner[seed] = used, ring
    return ends, inner, out[:used].copy()
