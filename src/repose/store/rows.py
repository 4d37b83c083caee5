"""Read rows of large arrays from mapped files: a read costs one copy of what is asked for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.provenance.stated import Stated
from repose.reading import foreign
from repose.store.arrays import counts, read_meta


class MappedRows:
    """Rows of an array whose chunks are files of plain bytes, each of whole rows.

    Args:
        path: its folder.
        files: of the store that it belongs to; each is checked when it is mapped.
        hint: what to do where it is damaged.

    Attributes:
        shape: of all of it.

    Raises:
        ReposeError: it is missing, damaged, or stored in another way.
    """

    def __init__(self, path: Path, files: Stated, hint: str):
        meta = read_meta(path, files)
        with foreign(path, "not an array as repose stores it", hint):
            codecs = [codec["name"] for codec in meta["codecs"]]
            if codecs != ["bytes"]:
                raise ReposeError(f"stored with codecs {codecs}, expected plain bytes", where=path)
            self.shape = counts(meta["shape"])
            self._chunk = counts(meta["chunk_grid"]["configuration"]["chunk_shape"])
            if self._chunk[1:] != self.shape[1:]:
                raise ReposeError("a chunk does not hold whole rows", where=path)
            self._dtype = np.dtype(meta["data_type"]).newbyteorder("<")
            if self._dtype.kind not in "fiu":
                raise ValueError(f"numbers of type {self._dtype}")
        self._path, self._files, self._hint = path, files, hint
        self._maps: dict[int, NDArray] = {}

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray:
        """Copies of some rows.

        Raises:
            ReposeError: a file is missing, cut short, or not the one that is stated.
        """
        rows = np.asarray(indices).tolist()
        for index in rows:
            self._map(index // self._chunk[0])  # which is as large as the shape says
        out = np.empty((len(rows), *self.shape[1:]), self._dtype)
        for place, index in enumerate(rows):
            out[place] = self._map(index // self._chunk[0])[index % self._chunk[0]]
        return out

    def _map(self, number: int) -> NDArray:
        if number not in self._maps:
            file = self._path.joinpath("c", str(number), *["0"] * (len(self.shape) - 1))
            with foreign(file, "missing or cut short", self._hint):
                mapped = np.memmap(file, self._dtype, mode="r", shape=self._chunk)
            self._files.check(file, mapped.reshape(-1).view(np.uint8))
            self._maps[number] = mapped
        return self._maps[number]
