"""Variation of training bodies to imitate other people's meshes: rotation, size, noise, holes and density."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from repose.data.augmentation import Augmentation
from repose.mesh.operators import Faces, face_areas

_HOLE = (0.05, 0.15)  # radius over the side of a square with the area of the surface


def varied_triples(
    settings: Augmentation,
    meshes: Iterable[NDArray[np.float32]],  # identity, pose and truth, (B, V, 3) metres each
    draw: np.random.Generator,
) -> list[NDArray[np.float32]]:
    """Vary the three meshes of each triple: rotation, size and noise are drawn independently for both inputs.

    The truth is rotated like the pose mesh, has the size of the identity, and has no noise.
    """
    identity, pose, truth = meshes
    turns, pose_turns = (_turns(settings, len(identity), draw) for _ in range(2))
    factors, pose_factors = (_factors(settings, len(identity), draw) for _ in range(2))
    noise, pose_noise = (
        settings.noise * draw.standard_normal(mesh.shape, np.float32) for mesh in (identity, pose)
    )
    return [
        identity @ turns * factors + noise,
        pose @ pose_turns * pose_factors + pose_noise,
        truth @ pose_turns * factors,
    ]


def _turns(settings: Augmentation, count: int, draw: np.random.Generator) -> NDArray[np.float32]:
    """Draw rotations (B, 3, 3) of rows of coordinates: by a heading, about y, and by tilts, about x and z."""
    angles = np.c_[
        draw.uniform(-settings.heading, settings.heading, count), draw.normal(0, settings.tilt, (count, 2))
    ]
    return Rotation.from_euler("yxz", angles, degrees=True).as_matrix().transpose(0, 2, 1).astype(np.float32)


def _factors(settings: Augmentation, count: int, draw: np.random.Generator) -> NDArray[np.float32]:
    """Draw factors (B, 1, 1); larger and smaller ones are equally likely."""
    return np.float32(settings.size) ** draw.uniform(-1, 1, (count, 1, 1)).astype(np.float32)


def varied_order(
    settings: Augmentation,
    body: NDArray[np.float32],  # (V, 3) metres
    faces: Faces,  # (F, 3)
    draw: np.random.Generator,
) -> NDArray[np.int64]:  # (V,)
    """Draw an order of vertices whose beginning is denser on one side of a body, and may have a hole around a vertex.

    A training step sees the first `points` vertices; those in the hole come last.
    """
    direction = draw.standard_normal(3)
    along = body @ (direction / np.linalg.norm(direction))
    along = (along - along.min()) / np.ptp(along)
    # Sorting exponential numbers with these rates equals weighted draws without replacement.
    keys = draw.exponential(size=len(body)) / settings.density**along
    if draw.random() < settings.holes:
        radius = draw.uniform(*_HOLE) * np.sqrt(face_areas(body, faces).sum())
        keys[np.linalg.norm(body - body[draw.integers(len(body))], axis=1) < radius] += keys.max()
    return np.argsort(keys, kind="stable")
