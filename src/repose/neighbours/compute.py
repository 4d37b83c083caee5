"""Which bodies a training will encode, and the neighbours of their faces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from repose.convert.catalog import mesh_id, mesh_numbers
from repose.data.meshes import centred
from repose.data.unlabelled import Numbers
from repose.methods.npr.neighbours import Neighbours
from repose.methods.npr.settings import NprSettings
from repose.methods.npr.template import Templates
from repose.store.mesh_store import MeshStore


def encoded(method: NprSettings, store: MeshStore, splits: pd.DataFrame) -> dict[int, int]:
    """Rows of the posed bodies, in order, each with the row of the body at rest.

    These are the source in all poses of training and validation, and the bodies in the pose of each validation
    triple; with `anchors: rest`, where the pose does not matter, the bodies at rest alone.

    Raises:
        ReposeError: the source is not of the training part, or a body is missing in the rest pose.
    """
    train, val = (splits[splits.role == role] for role in ("train", "val"))
    seen = Numbers.seen_in(train)
    source = seen.source(method.training.source)
    poses = seen.poses | Numbers.seen_in(val).poses
    names = [*(mesh_id(source, pose) for pose in sorted(poses)), *val.pose_mesh]
    rows = {}
    for name in names:
        if name in store:
            rest = store.index_of(mesh_id(mesh_numbers(name)[0], method.rest_pose))
            rows[store.index_of(name) if method.anchors == "posed" else rest] = rest
    return rows


def neighbours_of(
    method: NprSettings, store: MeshStore, rows: dict[int, int]
) -> Iterator[tuple[bytes, Neighbours]]:
    """The neighbours of each of `encoded`, (1, …) int64, with the key that a training asks for them by."""
    templates, faces = Templates(), torch.from_numpy(store.faces).long()
    for posed, at_rest in rows.items():
        (template,) = templates.of(centred(store.vertices(np.array([at_rest]))), faces)
        if method.anchors == "rest":
            key, points = template.key, template.centroids[None]
        else:
            mesh = centred(store.vertices(np.array([posed])))
            key, points = template.posed_key(mesh), template.posed_centroids(mesh)
        yield key, Neighbours.of(points, method.middle, method.keypoints)
