"""The recipe of a dataset of animals: a mesh, a skeleton, identities and poses, in one small file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from repose.synthetic.recipe import BodySettings, RecipeFile


@dataclass(frozen=True)
class Settings(BodySettings):
    """Sizes and seed of a dataset of animals.

    Below about 900 vertices, ears and tails are lost. The species alternate, so 12 identities include one of each.
    """

    SOURCE: ClassVar[str] = "open-animal"
    LEAST_VERTICES: ClassVar[int] = 600
    vertices: int = 3890
    identities: int = 36
    poses: int = 600


@dataclass(frozen=True)
class Recipe(RecipeFile):
    """I identities and P poses on one mesh of V vertices, F = 2 V - 4 faces and J bones.

    Frame: metres, y up, facing +z, +x to the animal's left, pelvis joint at the origin.

    Attributes:
        faces: (F, 3) int32, outward, a closed manifold of genus 0, the same for all meshes.
        skin_bones: (V, 4) int16, bones that move each vertex.
        skin_weights: (V, 4) float32, their weights.
        bone_names: (J,) text.
        bone_parents: (J,) int16, -1 for the root; parents come first.
        bone_heads: (I, J, 3) float64, joints of each identity at rest.
        rest_vertices: (I, V, 3) float32, each identity at rest.
        species: (I,) text.
        builds: (I, N) float64, the lengths of `anatomy.Build` in order.
        poses: (P, J, 3) float32, rotation vector of each bone in axes of the body, radians.
        styles: (P,) text, the kind of pose.
        candidates: () int64, number of poses that were drawn to find P without self-intersections of any identity.
        settings: (4,) int64, `Settings` in order.
    """

    FORMAT: ClassVar[str] = "repose-open-animal-1"
    SHARED: ClassVar[tuple[str, ...]] = ("faces", "skin_bones", "skin_weights")
    PER_IDENTITY: ClassVar[tuple[str, ...]] = ("rest_vertices", "bone_heads")
    PER_POSE: ClassVar[tuple[str, ...]] = ("poses",)
    skin_bones: np.ndarray
    skin_weights: np.ndarray
    bone_names: np.ndarray
    bone_parents: np.ndarray
    bone_heads: np.ndarray
    rest_vertices: np.ndarray
    species: np.ndarray
    builds: np.ndarray
    styles: np.ndarray
    settings: np.ndarray
