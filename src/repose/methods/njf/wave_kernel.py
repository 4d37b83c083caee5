"""Wave kernel signature (Aubry et al., 2011): a descriptor of each surface point that hardly depends on the pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from repose.mesh.spectrum import surface_of

ENERGIES = 100
_VIBRATIONS = 50
_WIDTH = 7  # width of the band of an energy, in steps from one energy to the next
_MARGIN = 2  # steps between the outermost energies and the outermost vibrations
# share of the largest eigenvalue: smaller ones belong to constants on connected parts of the mesh
_STILL = 1e-5


def wave_kernel(
    vertices: NDArray[np.floating],  # (V, 3)
    faces: NDArray[np.integer],  # (F, 3)
) -> NDArray[np.float32]:
    """Return the signatures (V, 100) of the vertices, about 1 and without unit, as the surface is scaled to area 1.

    Raises:
        MeshError: the faces have no area, or the mesh has fewer than four vertices.
    """
    surface = surface_of(vertices.astype(np.float64), faces, _VIBRATIONS)
    moving = surface.values > _STILL * surface.values[-1]
    own = np.log(surface.values[moving])
    step = (own[-1] - own[0]) / ENERGIES
    energies = np.linspace(own[0] + _MARGIN * step, own[-1] - _MARGIN * step, ENERGIES)
    weights = np.exp(-(((energies - own[:, None]) / (_WIDTH * step)) ** 2) / 2)  # (K, 100)
    found = np.square(surface.vectors[:, moving]) @ (weights / weights.sum(axis=0))
    return found.astype(np.float32)
