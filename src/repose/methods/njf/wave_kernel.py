"""Wave kernel signature (Aubry et al., 2011): a descriptor of each surface point that hardly depends on the pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from repose.mesh.spectrum import sounding, surface_of, waves

ENERGIES = 100
_VIBRATIONS = 50
_MARGIN = 2  # steps between the outermost energies and the outermost vibrations


def wave_kernel(
    vertices: NDArray[np.floating],  # (V, 3)
    faces: NDArray[np.integer],  # (F, 3)
) -> NDArray[np.float32]:
    """Return the signatures (V, 100) of the vertices, about 1 and without unit, as the surface is scaled to area 1.

    Raises:
        MeshError: the faces have no area, or the mesh has fewer than four vertices.
    """
    surface = surface_of(vertices.astype(np.float64), faces, _VIBRATIONS)
    moving = sounding(surface.values)
    own = surface.values[moving]
    lowest, highest = np.log(own[[0, -1]])
    step = (highest - lowest) / ENERGIES
    energies = np.linspace(lowest + _MARGIN * step, highest - _MARGIN * step, ENERGIES)
    found = np.square(surface.vectors[:, moving]) @ waves(own, energies, step)
    return found.astype(np.float32)
