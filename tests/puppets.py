"""A store of very small images: puppets of two patterned parts, moved by whole pixels, so that their flow is known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from repose.images.attributes import ATTRIBUTES, CLASSES
from repose.store.image_store import ImageStore

SIZE = (32, 24)
PEOPLE, POSES = 6, 5


def _parts(pose: int) -> list[tuple[int, int, int, int, int]]:
    """Label, top, left, height and width of each part in a pose."""
    draw = np.random.default_rng([9, pose])
    left, top = int(draw.integers(4, 11)), int(draw.integers(4, 9))
    return [(2, top + 6, left, 12, 8), (1, top, left + int(draw.integers(0, 5)), 5, 4)]


def _pattern(person: int, label: int, height: int, width: int) -> np.ndarray:
    draw = np.random.default_rng([person, label])
    colours, period = draw.integers(0, 256, (2, 3)), int(draw.integers(2, 5))
    return colours[(np.arange(height)[:, None] // period + np.zeros(width, int)) % 2].astype(np.uint8)


def _flow(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    flow, seen = np.zeros((*SIZE, 2), np.float32), np.full(SIZE, 2, np.uint8)
    for there, here in zip(_parts(source), _parts(target), strict=True):
        _, top, left, height, width = here
        flow[top : top + height, left : left + width] = (there[2] - left, there[1] - top)
        seen[top : top + height, left : left + width] = 0
    return flow, seen


def puppet_store(folder: Path) -> ImageStore:
    """Every person in every pose, named `p{person}-{pose}`, with imported flow between poses of one person."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [(i, p) for i in range(PEOPLE) for p in range(POSES)]
    images = np.full((len(names), *SIZE, 3), 255, np.uint8)
    labels, joints = np.zeros((len(names), *SIZE), np.uint8), np.zeros((len(names), 18, 3), np.float32)
    for row, (person, pose) in enumerate(names):
        for number, (label, top, left, height, width) in enumerate(_parts(pose)):
            place = np.s_[row, top : top + height, left : left + width]
            images[place], labels[place] = _pattern(person, label, height, width), label
            corners = [(left, top), (left + width - 1, top), (left, top + height - 1)]
            joints[row, 3 * number : 3 * number + 3] = [(*corner, 1) for corner in corners]
    pairs = [(i, a, b) for i in range(PEOPLE) for a in range(POSES) for b in range(POSES) if a != b]
    flows = [_flow(a, b) for _, a, b in pairs]
    clothes = {name: [known[i % len(known)] for i, _ in names] for name, known in ATTRIBUTES.items()}
    clothes |= {name: [CLASSES[i % 2][k] for i, _ in names] for k, name in enumerate(("upper", "lower"))}
    attributes = {"image_ids": [f"p{i}-{p}" for i, p in names], "labels": clothes}
    group = zarr.create_group(folder / "images.zarr", attributes=attributes)
    for name, data in (("image", images), ("segmentation", labels), ("joints", joints)):
        group.create_array(name, data=data, chunks=data.shape, compressors=None)
    ids = [[f"p{i}-{a}", f"p{i}-{b}"] for i, a, b in pairs]
    imported = group.create_group("imported", attributes={"pairs": ids})
    for name, values in (("flow", [f for f, _ in flows]), ("visibility", [v for _, v in flows])):
        data = np.stack(values)
        imported.create_array(name, data=data, chunks=data.shape, compressors=None)
    return ImageStore(folder / "images.zarr")


def puppet_pairs(people: range, role: str) -> pd.DataFrame:
    """All ordered pairs of poses of some people."""
    rows = [
        (f"p{i}-{a}", f"p{i}-{b}", role) for i in people for a in range(POSES) for b in range(POSES) if a != b
    ]
    return pd.DataFrame(rows, columns=["source_image", "target_image", "role"])


def flow_method(**training) -> dict:
    """Settings of a small `flow-regression`."""
    steps = {"steps": 4, "batch": 4, "validate_every": 2, "learning_rate": 3e-3}
    network = {"network": "unet_v2", "width": 8, "widest": 16, "levels": 2}
    return {
        "architecture": "flow-regression", "flow_network": network, "radius": 2,
        "training": json.loads(json.dumps(steps | training)),
    }  # fmt: skip


def transfer_method(training=None, **settings) -> dict:
    """Settings of a small `flow-transfer` with warped features."""
    steps = {
        "steps": 4, "batch": 4, "validate_every": 2, "learning_rate": 3e-3, "flow": "flow", "discriminator_width": 4,
    }  # fmt: skip
    return {
        "architecture": "flow-transfer", "width": 4, "widest": 8, "levels": 2, "warped_levels": 2, "radius": 2,
        "flow_network": flow_method()["flow_network"], **settings, "training": steps | (training or {}),
    }  # fmt: skip
