"""Skinning: weights of the bones, and the fitting of the template to a body."""

from __future__ import annotations

import itertools

import igl
import numpy as np
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import splu
from scipy.spatial.transform import Rotation

from repose.synthetic.open_animal.anatomy import AVERAGE, NAMES, SIDES, Anatomy, Build, build_anatomy
from repose.synthetic.open_animal.shape import field, wrap
from repose.synthetic.surface import neighbour_mean

INFLUENCES = 4  # bones per vertex
GROWTH = 4  # steps from the average animal to another one


def bone_weights(anatomy: Anatomy, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute skin weights by heat diffusion from each bone (Baran and Popovic 2007).

    Args:
        anatomy: the anatomy that the mesh was made from.
        vertices: (V, 3).
        faces: (F, 3).

    Returns:
        (V, 4) int64 bones and (V, 4) float64 weights that sum to 1.
    """
    nearest, distance = _nearest_bones(anatomy, vertices)
    stiffness = csc_array(-igl.cotmatrix(vertices, faces))
    mass = np.asarray(igl.massmatrix(vertices, faces).diagonal())
    pull = mass / np.maximum(distance, 0.02) ** 2
    wanted = np.zeros((len(vertices), len(NAMES)))
    wanted[np.arange(len(vertices)), nearest] = pull
    dense = np.maximum(splu(csc_array(stiffness + diags_array(pull))).solve(wanted), 0)
    bones = np.argsort(-dense, axis=1, kind="stable")[:, :INFLUENCES]
    shares = np.take_along_axis(dense, bones, axis=1)
    return bones, shares / shares.sum(axis=1, keepdims=True)


def dense_weights(bones: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the weight of every bone at every vertex, (V, J), from the bones (V, 4) that move it and their weights."""
    dense = np.zeros((len(bones), len(NAMES)))
    np.put_along_axis(dense, bones, shares, axis=1)
    return dense


def _nearest_bones(anatomy: Anatomy, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bone (V,) whose flesh each vertex is on, and its distance (V,) in metres."""
    distance = np.stack(
        [_segment_distance(vertices, h, t) for h, t in zip(anatomy.heads, anatomy.tails, strict=True)], 1
    )
    depth = -field(anatomy, (anatomy.heads + anatomy.tails) / 2)
    relative = distance / np.maximum(depth, 0.02)
    for bone, name in enumerate(NAMES):
        if name[-2:] in (".L", ".R"):
            # A leg never affects the other side of the body.
            relative[vertices[:, 0] * SIDES[name[-1]] < 0.004, bone] = np.inf
    nearest = np.argmin(relative, axis=1)
    return nearest, distance[np.arange(len(vertices)), nearest]


def _segment_distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    along = end - start
    share = np.clip((points - start) @ along / (along @ along), 0, 1)
    return np.linalg.norm(points - start - share[:, None] * along, axis=1)


def fit(
    build: Build, vertices: np.ndarray, faces: np.ndarray, bones: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """Fit the template's skin to an animal of another build.

    The template, which is the average animal, is changed into the other in small steps; each step stretches the skin
    bone by bone and wraps it around the flesh. One big step would fold the skin.

    Returns:
        (V, 3) float64, the same vertices on the animal at rest.
    """
    dense = dense_weights(bones, shares)
    # These weights are smoother than those for posing, so that a leg twice as thick as the template's has no step.
    mean = neighbour_mean(faces, len(vertices))
    for _ in range(12):
        dense = 0.5 * dense + 0.5 * (mean @ dense)
    path = [build_anatomy(AVERAGE.towards(build, k / GROWTH)) for k in range(GROWTH + 1)]
    for before, after in itertools.pairwise(path):
        stretch = _stretch(before, after)
        moved = np.einsum("jab,vjb->vja", stretch, vertices[:, None] - before.heads) + after.heads
        vertices = wrap(after, np.einsum("vj,vja->va", dense, moved), faces, steps=4)
    return wrap(path[-1], vertices, faces, steps=8)


def _stretch(template: Anatomy, body: Anatomy) -> np.ndarray:
    """Return the maps (J, 3, 3) that stretch each bone of the template to the length and thickness of the body's."""
    before, after = template.tails - template.heads, body.tails - body.heads
    thickness = field(body, (body.heads + body.tails) / 2) / field(
        template, (template.heads + template.tails) / 2
    )
    maps = np.empty((len(before), 3, 3))
    for bone, radial in enumerate(np.clip(thickness, 0.4, 2.5)):
        length = np.linalg.norm(after[bone]) / np.linalg.norm(before[bone])
        axis = before[bone] / np.linalg.norm(before[bone])
        turn = Rotation.align_vectors(after[[bone]], before[[bone]])[0].as_matrix()
        maps[bone] = turn @ (radial * np.eye(3) + (length - radial) * np.outer(axis, axis))
    return maps
