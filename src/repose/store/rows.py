"""Read rows of large arrays from mapped files, by number or name; a read only copies the requested rows."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.provenance.stated import Stated
from repose.reading import foreign
from repose.store.arrays import StoredArray


class MappedRows(StoredArray):
    """Rows of an array whose chunks are files of plain bytes, each with whole rows.

    Processes share the pages of mapped files, so an array may be larger than memory.

    Raises:
        ReposeError: as for `StoredArray`, or if chunks are compressed or hold parts of rows.
    """

    def __init__(self, path: Path, files: Stated, hint: str):
        super().__init__(path, files, hint)
        if self._is_compressed:
            raise ReposeError("stored compressed, expected plain bytes", path, hint)
        if self._chunk[1:] != self.shape[1:]:
            raise ReposeError("a chunk does not hold whole rows", path, hint)
        self._maps: dict[int, NDArray] = {}

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray:
        """Return copies of some rows.

        Raises:
            ReposeError: a file is missing, cut short, or differs from the manifest.
        """
        places = [divmod(index, self._chunk[0]) for index in np.asarray(indices).tolist()]
        chunks = [self._map(number) for number, _ in places]  # these are as large as the shape requires
        out = np.empty((len(places), *self.shape[1:]), self.dtype.newbyteorder("="))
        for row, (chunk, (_, place)) in enumerate(zip(chunks, places, strict=True)):
            out[row] = chunk[place]
        return out

    def _map(self, number: int) -> NDArray:
        if number not in self._maps:
            file = self._path.joinpath("c", str(number), *["0"] * (len(self.shape) - 1))
            with foreign(file, "missing or cut short", self._hint):
                mapped = np.memmap(file, self.dtype, mode="r", shape=self._chunk)
            self._files.check(file, mapped.reshape(-1).view(np.uint8))
            self._maps[number] = mapped
        return self._maps[number]


class NamedRows:
    """A store with a name for each of its rows.

    Args:
        path: folder of the store.
        names: names of the rows, in their order.
    """

    what: ClassVar[str]  # what a row is called in messages

    def __init__(self, path: Path, names: list[str]):
        self.path, self._names = path, names

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self._names)}

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def index_of(self, name: str) -> int:
        """Return the row of a name; raise ReposeError for an unknown one."""
        try:
            return self._index[name]
        except KeyError:
            raise ReposeError(f"no {self.what} {name!r} in the store", where=self.path) from None
