"""A first functional map between two surfaces, from spectral signatures of each point (Ovsjanikov et al., 2012).

A body and its mirror image have the same signatures. Only the orientation of the surface distinguishes left from right,
so the map is asked to keep it (Ren et al., SIGGRAPH Asia 2018).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from repose.errors import MeshError
from repose.mesh.operators import Faces, Float
from repose.mesh.spectrum import Surface, is_nonzero, wave_kernel_weights

_ENERGIES = 60  # number of energies of the wave kernel; the heat kernel has half as many times
_NONE = 1e-6  # an eigenvalue of a surface of area 1 below this counts as 0
_LAST = 4 * np.log(10)  # largest decay of heat between the first time and the last, as an exponent
_TURNED = 10  # number of signatures whose gradients define the orientation
_FREQUENCIES, _ORIENTATION = 1.0, 0.1  # weights of keeping frequencies and orientation, against signatures


class Side(NamedTuple):
    """One of two surfaces that are matched."""

    vectors: Float  # (N, K) eigenvectors
    values: Float  # (K,) eigenvalues
    masses: Float  # (N,) areas of the vertices, as shares of the whole area
    faces: Faces  # (F, 3)
    signatures: Float  # (N, S), computed by `with_signatures` for both surfaces together


def with_signatures(source: tuple[Surface, Faces], target: tuple[Surface, Faces]) -> tuple[Side, Side]:
    """Compute the signatures of both surfaces, about their means, in units of their common deviation.

    Raises:
        MeshError: a surface has at least as many pieces as eigenvectors.
    """
    count = min(len(surface.values) for surface, _ in (source, target))
    if any(surface.values[count - 1] < _NONE for surface, _ in (source, target)):
        raise MeshError(f"a mesh in {count} or more pieces has no surface to match")
    values = (source[0].values[:count].astype(np.float64) + target[0].values[:count]) / 2
    sides = [_side(surface, faces, values) for surface, faces in (source, target)]
    spread = np.mean([side.masses @ side.signatures**2 for side in sides], axis=0) ** 0.5
    first, second = (side._replace(signatures=side.signatures / np.maximum(spread, 1e-12)) for side in sides)
    return first, second


def _side(surface: Surface, faces: Faces, values: Float) -> Side:
    """Return a surface with its signatures at the frequencies (K,) of both surfaces, about their means."""
    own, vectors, masses = (
        x.astype(np.float64)
        for x in (surface.values[: len(values)], surface.vectors[:, : len(values)], surface.masses)
    )
    nonzero = is_nonzero(own)
    lowest, highest = values[is_nonzero(values)][[0, -1]]
    energies, step = np.linspace(np.log(lowest), np.log(highest), _ENERGIES, retstep=True)
    heat = np.exp(-own[nonzero][:, None] * np.geomspace(_LAST / highest, _LAST / lowest, _ENERGIES // 2))
    weights = np.concatenate(
        [wave_kernel_weights(own[nonzero], energies, step), heat / heat.sum(axis=0)], axis=1
    )  # (K, S)
    found = vectors[:, nonzero] ** 2 @ weights
    return Side(vectors, own, masses, faces, found - masses @ found)


def functional_map(source: Side, target: Side, count: int) -> Float:  # (count, count)
    """Return the matrix C from functions on the source, in its first `count` eigenvectors, to those on the target.

    It minimises the mean over signatures of ‖C a - b‖² plus a penalty for changed frequencies, Σ (C_ij (λ_j - μ_i) /
    μ)², plus a penalty for flipped orientation, the mean over signatures f of ‖C Γ_f - Γ'_f C‖², where Γ_f g = n · (∇f
    × ∇g). Constants are mapped to constants.
    """
    there, here = (side.vectors[:, :count] for side in (source, target))
    a, b = (side.vectors[:, :count].T @ (side.masses[:, None] * side.signatures) for side in (source, target))
    one, signatures = np.eye(count), a.shape[1]
    matrix = np.kron(one, a @ a.T / signatures)  # acts on the entries of C, row by row
    changed = (source.values[None, :count] - target.values[:count, None]) / target.values[count - 1]
    matrix += _FREQUENCIES * np.diag((changed**2).ravel())
    for k in np.linspace(0, signatures - 1, _TURNED).round().astype(int):
        turns = [_turn(side, k, count) for side in (source, target)]
        size = np.mean([np.linalg.norm(turn) for turn in turns]) or 1.0
        apart = (np.kron(one, turns[0].T) - np.kron(turns[1], one)) / size
        matrix += _ORIENTATION / _TURNED * apart.T @ apart
    found = np.linalg.solve(matrix + 1e-9 * np.eye(count**2), (b @ a.T / signatures).ravel())
    c: Float = found.reshape(count, count)
    c[0], c[:, 0] = 0, 0
    c[0, 0] = np.sign(there[0, 0] * here[0, 0])
    return c


def _turn(side: Side, signature: int, count: int) -> Float:  # (count, count)
    """Return the operator g ↦ n · (∇f × ∇g) in the eigenvectors; its integral over a face needs no geometry."""
    f, g = side.signatures[:, signature], side.vectors[:, :count]
    i, j, k = side.faces.T
    crossed = ((f[j] - f[i])[:, None] * (g[k] - g[i]) - (f[k] - f[i])[:, None] * (g[j] - g[i])) / 2
    turn: Float = g[side.faces].mean(axis=1).T @ crossed
    return turn
