"""Recipes: generated datasets as one small file of arrays."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.provenance.publish import publish
from repose.raw.keys import digest_of
from repose.raw.source import Item
from repose.reading import foreign, read_npz

_WHAT, _HINT = "not a recipe, or torn", "delete it and make it again"


@dataclass(frozen=True)
class BodySettings:
    """Sizes and seed of a dataset of bodies.

    Attributes:
        vertices: exact number of vertices of the mesh that all bodies share.
        identities: number of bodies.
        poses: number of poses; each body is made in every pose.
        seed: seed of everything random.
    """

    SOURCE: ClassVar[str]
    LEAST_VERTICES: ClassVar[int]
    vertices: int
    identities: int
    poses: int
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"vertices": self.LEAST_VERTICES, "identities": 1, "poses": 1, "seed": 0}
        for name, lowest in least.items():
            if (value := getattr(self, name)) < lowest:
                raise ReposeError(f"{value} is too small", f"{self.SOURCE}: {name}", f"at least {lowest}")


@dataclass(frozen=True)
class RecipeFile:
    """A frozen dataclass of arrays in one `.npz`, which is written atomically; equal arrays give equal bytes.

    A subclass names its `FORMAT`, and the arrays that the vertices of a mesh depend on: those `SHARED` by all meshes,
    and one row of those `PER_IDENTITY` and `PER_POSE`.
    """

    FORMAT: ClassVar[str]
    SHARED: ClassVar[tuple[str, ...]]
    PER_IDENTITY: ClassVar[tuple[str, ...]]
    PER_POSE: ClassVar[tuple[str, ...]]
    faces: np.ndarray
    poses: np.ndarray
    candidates: np.ndarray

    @property
    def rejected(self) -> int:
        """The number of drawn poses in which some identity intersected itself."""
        return int(self.candidates) - len(self.poses)

    def write(self, path: str | Path) -> None:
        """Publish the file."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        with publish(Path(path)) as private, private.open("wb") as file:
            np.savez_compressed(file, format=np.array(self.FORMAT), **arrays)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a file that `write` wrote.

        Raises:
            ReposeError: the file is missing, incomplete, or not a recipe of this kind.
        """
        if not Path(path).exists():
            raise ReposeError("no such recipe", path, "make it with the raw stage")
        arrays = read_npz(Path(path), _WHAT, _HINT)
        with foreign(path, _WHAT, _HINT):
            if str(arrays["format"]) != cls.FORMAT:
                raise ReposeError(f"format is {arrays['format']}, not {cls.FORMAT}", path, "make it again")
            return cls(**{f.name: arrays[f.name] for f in fields(cls)})


R = TypeVar("R", bound=RecipeFile)


@dataclass(frozen=True)
class RecipeSource:
    """The meshes of a recipe file; see `repose.raw.source.Source`.

    Attributes:
        name: name of the generator.
        licence: licence of its meshes.
        recipe: class of the recipe.
        pose: function (recipe, identity, poses) that returns (P, V, 3) float32 vertices.
        path: the file.
    """

    name: str
    licence: str
    recipe: type[RecipeFile]
    pose: Callable[[Any, int, Sequence[int]], np.ndarray]
    path: Path

    def items(self) -> list[Item]:
        """Return every identity in every pose; a key covers only the rows of that identity and that pose."""
        recipe = read_once(self.recipe, self.path)
        shared = digest_of(recipe.FORMAT, *(getattr(recipe, name) for name in recipe.SHARED))
        identities, poses = _rows(recipe, recipe.PER_IDENTITY), _rows(recipe, recipe.PER_POSE)
        return [
            Item(i, p, digest_of(shared, identity, pose), self.name)
            for i, identity in enumerate(identities)
            for p, pose in enumerate(poses)
        ]

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        """Pose the items, one at a time."""
        recipe = read_once(self.recipe, self.path)
        for item in items:
            yield Mesh(self.pose(recipe, item.identity, [item.pose])[0], recipe.faces)


def read_once(kind: type[R], path: Path) -> R:
    """Read a recipe once per worker process, where each batch of items comes with a new copy of the source."""
    if not path.exists():
        return kind.read(path)  # its error says what to do
    status = path.stat()
    return _cached(kind.read, path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2)
def _cached(read: Callable[[Path], R], path: Path, mtime_ns: int, size: int) -> R:
    return read(path)


def _rows(recipe: RecipeFile, names: Sequence[str]) -> list[str]:
    """Return a digest of each row of some arrays of equal length."""
    return [digest_of(*rows) for rows in zip(*(getattr(recipe, name) for name in names), strict=True)]
