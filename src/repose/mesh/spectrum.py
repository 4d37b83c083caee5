"""The spectral description of a mesh's surface, which hardly depends on its triangles.

The eigenvectors of the Laplace-Beltrami operator are nearly the same for two meshes of one surface, so a network that
uses them does not depend on vertex counts, orders and triangles (Sharp et al., DiffusionNet, TOG 2022).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

from repose.errors import MeshError
from repose.mesh.operators import Faces, Float, edge_stiffness, face_areas, vertex_areas, vertex_normals

_LEAST_MASS = 1e-3  # of the mean; a vertex that only needles use would make the eigenproblem stiff
_ZERO = 1e-5  # of the largest eigenvalue: a smaller one counts as 0, of which each piece of a mesh has one
_WIDTH = 7  # of the band of an energy, in steps from one energy to the next
_SHIFT = -0.1  # below the smallest eigenvalue, 0, so that the shifted matrix can be factorised


class Surface(NamedTuple):
    """A surface of area 1 with its middle at the origin, in single precision.

    Attributes are arrays of numpy, or tensors of PyTorch for training.

    Attributes:
        vertices: (N, 3).
        normals: (N, 3), of unit length.
        masses: (N,) areas of the vertices, whose sum is 1.
        values: (K,) smallest eigenvalues of the Laplace-Beltrami operator, from 0 up.
        vectors: (N, K) their eigenvectors, orthonormal in the inner product weighted by the masses.
    """

    vertices: Any
    normals: Any
    masses: Any
    values: Any
    vectors: Any

    def turned(
        self,
        turn: Any,  # (3, 3) a rotation
    ) -> Surface:
        """Return the surface rotated; its eigenvectors stay the same."""
        return self._replace(vertices=self.vertices @ turn.T, normals=self.normals @ turn.T)


def normalised(vertices: Float, faces: Faces) -> Float:
    """Return the vertices (N, 3), scaled and moved so that the surface has area 1 and its middle at the origin.

    Raises:
        MeshError: the faces have no area.
    """
    areas = face_areas(vertices, faces)
    if not areas.sum() > 0:
        raise MeshError("a mesh whose faces have no area")
    middle = areas @ vertices[faces].mean(axis=1) / areas.sum()
    scaled: Float = (vertices - middle) / np.sqrt(areas.sum())
    return scaled


def surface_of(vertices: Float, faces: Faces, count: int) -> Surface:
    """Return the surface of a mesh with its first `count` eigenfunctions, or as many as its vertices allow.

    Raises:
        MeshError: the faces have no area, or the mesh has fewer than four vertices.
    """
    if len(vertices) < 4:
        raise MeshError(f"a mesh of {len(vertices)} vertices is no surface")
    vertices = normalised(vertices, faces)
    masses = vertex_areas(vertices, faces)
    masses = np.maximum(masses, _LEAST_MASS * masses.mean())
    masses /= masses.sum()
    values, vectors = _eigenpairs(vertices, faces, masses, min(count, len(vertices) - 2))
    parts = vertices, vertex_normals(vertices, faces), masses, values, vectors
    return Surface(*(np.ascontiguousarray(x, np.float32) for x in parts))


def is_nonzero(values: Float) -> NDArray[np.bool_]:
    """Which eigenvalues (K,) are not 0; those of constants on each piece of a mesh are."""
    found: NDArray[np.bool_] = values > _ZERO * values[-1]
    return found


def wave_kernel_weights(
    values: Float,  # (K,) nonzero eigenvalues
    energies: Float,  # (E,) logarithms, evenly spaced
    step: float,
) -> Float:  # (K, E)
    """The weights of eigenfunctions in each energy of the wave kernel signature (Aubry et al., 2011); sums are 1."""
    found = np.exp(-(((energies - np.log(values)[:, None]) / (_WIDTH * step)) ** 2) / 2)
    weights: Float = found / found.sum(axis=0)
    return weights


def _eigenpairs(vertices: Float, faces: Faces, masses: Float, count: int) -> tuple[Float, Float]:
    """Return the eigenvalues (K,) and eigenvectors (N, K) of L u = λ M u, with cotangents L and masses M."""
    first, second, stiffness = edge_stiffness(vertices, faces)
    weights = sp.coo_array((stiffness, (first, second)), shape=(len(vertices), len(vertices)))
    weights = (weights + weights.T).tocsr()
    root = 1 / np.sqrt(masses)
    symmetric = sp.diags_array(root) @ (sp.diags_array(weights.sum(axis=1)) - weights) @ sp.diags_array(root)
    # A fixed start vector, because the library would draw a new one at every call.
    start = np.random.default_rng(0).normal(size=len(masses))
    # A third more vectors than wanted; twice as many, the default, takes half as long again.
    basis = min(len(masses), max(20, 4 * count // 3 + 2))
    values, vectors = eigsh(symmetric.tocsc(), k=count, sigma=_SHIFT, v0=start, ncv=basis)
    return np.maximum(values, 0), vectors * root[:, None]
