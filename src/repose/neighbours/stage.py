"""Stage `neighbours`: from packed meshes and training triples to the neighbourhoods in the pose extractor."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from repose import specs
from repose.convert.catalog import mesh_id, mesh_numbers
from repose.data.meshes import centred
from repose.data.unlabelled import Numbers
from repose.errors import ReposeError
from repose.methods.npr.neighbour_store import write_neighbours
from repose.methods.npr.neighbours import Neighbours
from repose.methods.npr.settings import NprSettings
from repose.methods.npr.template import Templates
from repose.methods.settings import MethodSettings
from repose.progress import track
from repose.provenance.making import making
from repose.reading import read_rows
from repose.store.mesh_store import MeshStore


def run(method: MethodSettings, store: Path, split: Path, out: Path, threads: int = 1) -> None:
    """Write the neighbours of all bodies that the training of `method` encodes to the Zarr store `out`.

    Raises:
        ReposeError: the method does not use neighbours.
    """
    if not isinstance(method, NprSettings):
        raise ReposeError(f"{method.architecture} looks at no neighbours", hint="give a method of npr")
    inputs = {"store": store, "split": split}
    with making(specs.neighbours(method), out, inputs, later=("store",)) as new:
        if new.finished:
            return
        torch.set_num_threads(threads)
        meshes = MeshStore(store)
        rows = encoded(method, meshes, read_rows(split))
        label = " ".join(out.with_suffix("").parts[-3:])
        with new.file(out) as private:
            found = track(neighbours_of(method, meshes, rows), len(rows), label)
            write_neighbours(private, found, len(rows), method.middle, method.keypoints)
        new.describe = {"bodies": len(rows)}


def encoded(method: NprSettings, store: MeshStore, splits: pd.DataFrame) -> dict[int, int]:
    """Return the rows of the posed bodies, in order, each with the row of the body at rest.

    These are the source in all poses of training and validation, and the bodies in the pose of each validation
    triple; with `anchors: rest`, where the pose does not matter, the bodies at rest alone.

    Raises:
        ReposeError: the source is not in the training part, or a body is missing in the rest pose.
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
    """Yield the neighbours of each of `encoded`, (1, …) int64, with the key by which a training looks them up."""
    templates, faces = Templates(), torch.from_numpy(store.faces).long()
    for posed, at_rest in rows.items():
        (template,) = templates.of(centred(store.vertices(np.array([at_rest]))), faces)
        if method.anchors == "rest":
            key, points = template.key, template.centroids[None]
        else:
            mesh = centred(store.vertices(np.array([posed])))
            key, points = template.posed_key(mesh), template.posed_centroids(mesh)
        yield key, Neighbours.of(points, method.middle, method.keypoints)
