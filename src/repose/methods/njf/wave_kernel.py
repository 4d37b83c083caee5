"""Wave kernel signature (Aubry et al., 2011): a descriptor of each surface point that hardly depends on the pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from repose.mesh.spectrum import is_nonzero, surface_of, wave_kernel_weights

ENERGIES = 100
_EIGENVECTORS = 50
_MARGIN = 2  # steps between the outermost energies and the outermost eigenvalues


def wave_kernel(
    vertices: NDArray[np.floating],  # (V, 3)
    faces: NDArray[np.integer],  # (F, 3)
) -> NDArray[np.float32]:
    """Return the signatures (V, 100) of the vertices, about 1 and without unit, as the surface is scaled to area 1.

    Raises:
        MeshError: the faces have no area, or the mesh has fewer than four vertices.
    """
    surface = surface_of(vertices.astype(np.float64), faces, _EIGENVECTORS)
    nonzero = is_nonzero(surface.values)
    own = surface.values[nonzero]
    lowest, highest = np.log(own[[0, -1]])
    step = (highest - lowest) / ENERGIES
    energies = np.linspace(lowest + _MARGIN * step, highest - _MARGIN * step, ENERGIES)
    found = np.square(surface.vectors[:, nonzero]) @ wave_kernel_weights(own, energies, step)
    return found.astype(np.float32)
