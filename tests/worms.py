"""A store of bodies that bend around two joints, and the settings of small NPR networks that learn them."""

from pathlib import Path

import numpy as np
import trimesh
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.convert.bodies import write_bodies
from repose.split.triples import Meshes
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack

THICKNESS = (0.3, 0.5, 0.4, 0.45)  # of each body; 0 and 1 train
POSES = 60  # pose 0 is straight
THERE = Meshes({(i, p) for i in range(len(THICKNESS)) for p in range(POSES)})
WIDTHS = {"width": 16, "fine_width": 8, "middle": 40, "keypoints": 16, "attention": 16, "hidden": 16}
TRAINING = {"steps": 6, "batch": 2, "validate_every": 2, "learning_rate": 3e-3}
LEARNING = {
    "steps": 200, "validate_every": 100, "jacobian_weight": 0.05, "learning_rate": 5e-3, "schedule": "cosine",
}  # fmt: skip


def npr_method(training=None, **settings):
    """Settings of a small NPR."""
    settings = {"anchors": "rest", **WIDTHS, **settings, "training": TRAINING | (training or {})}
    return TypeAdapter(Method).validate_python({"architecture": "npr", **settings})


def worm(thickness, bends):
    """Vertices and faces of a body that bends around two joints, by angles in radians."""
    sphere = trimesh.creation.icosphere(subdivisions=2)
    x, y, z = np.asarray(sphere.vertices).T
    x = 1.5 * x
    angle = sum(b * np.clip((x - at) / 0.8 + 0.5, 0, 1) for b, at in zip(bends, (-0.5, 0.5), strict=True))
    middle = np.linspace(-1.5, 1.5, 200)
    turned = sum(
        b * np.clip((middle - at) / 0.8 + 0.5, 0, 1) for b, at in zip(bends, (-0.5, 0.5), strict=True)
    )
    steps = np.stack([np.cos(turned), np.sin(turned)], 1) * (middle[1] - middle[0])
    line = np.stack([np.interp(x, middle, np.cumsum(steps[:, k])) for k in range(2)], 1)
    across = thickness * y[:, None] * np.stack([-np.sin(angle), np.cos(angle)], 1)
    return np.column_stack([line + across, thickness * z]).astype(np.float32), np.asarray(sphere.faces)


def worm_store(folder: Path) -> MeshStore:
    """Every body in every pose."""
    bends = np.concatenate([[[0, 0]], np.random.default_rng(0).uniform(-0.9, 0.9, (POSES - 1, 2))])
    rows = write_bodies(
        ((i, p, worm(t, b)[0]) for i, t in enumerate(THICKNESS) for p, b in enumerate(bends)),
        worm(1, [0, 0])[1].astype(np.int32), folder / "obj", "test", "own",
    )  # fmt: skip
    pack(rows, folder / "obj", folder / "meshes.zarr")
    return MeshStore(folder / "meshes.zarr")
