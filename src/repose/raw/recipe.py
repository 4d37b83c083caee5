"""Recipes: generated datasets as one small file of arrays."""

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from repose.errors import ReposeError
from repose.provenance.publish import publish

_TORN = (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile)


@dataclass(frozen=True)
class RecipeFile:
    """A frozen dataclass of arrays that is one `.npz`: the whole file or none, equal bytes for equal arrays.

    A subclass names its `FORMAT`, and has among its arrays `poses` and `candidates`.
    """

    FORMAT: ClassVar[str]
    poses: np.ndarray
    candidates: np.ndarray

    @property
    def rejected(self) -> int:
        """Poses drawn in which some identity intersected itself."""
        return int(self.candidates) - len(self.poses)

    def write(self, path: str | Path) -> None:
        """Publish the file."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        with publish(Path(path)) as private, private.open("wb") as file:
            np.savez_compressed(file, format=np.array(self.FORMAT), **arrays)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what `write` wrote.

        Raises:
            ReposeError: the file is missing, torn, or not a recipe of this kind.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                if str(arrays["format"]) != cls.FORMAT:
                    raise ReposeError(
                        f"format is {arrays['format']}, not {cls.FORMAT}", path, "make it again"
                    )
                return cls(**{f.name: arrays[f.name] for f in fields(cls)})
        except FileNotFoundError:
            raise ReposeError("no such recipe", path, "make it with the raw stage") from None
        except _TORN as error:
            raise ReposeError(
                f"not a recipe, or torn: {error}", path, "delete it and make it again"
            ) from None
