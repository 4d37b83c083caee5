"""Read packed meshes without copying them into memory first."""

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.reading import foreign
from repose.store.arrays import counts, read_array, read_meta


class MeshStore:
    """The packed meshes of one dataset.

    `vertices(indices)` maps the uncompressed chunk files into memory: a read costs one copy of what is asked
    for, processes share the pages, and a store may be larger than memory.
    """

    def __init__(self, path: Path):
        self.path = path
        if not (path / "zarr.json").is_file():
            raise ReposeError("no mesh store", where=path, hint="run `repose store`")
        meta, group = read_meta(path / "vertices"), read_meta(path)
        with foreign(path, "not a mesh store", "run `repose store` again"):
            codecs = [codec["name"] for codec in meta["codecs"]]
            if codecs != ["bytes"] or meta["codecs"][0]["configuration"]["endian"] != "little":
                raise ReposeError(
                    f"vertices are stored with codecs {codecs}, expected plain bytes", where=path
                )
            meshes, vertices, axes = counts(meta["shape"])
            self.shape = meshes, vertices, axes
            self._per_chunk = counts(meta["chunk_grid"]["configuration"]["chunk_shape"])[0]
            self.mesh_ids = [str(name) for name in group["attributes"]["mesh_ids"]]
            if meta["data_type"] != "float32" or len(self.mesh_ids) != meshes:
                raise ValueError(f"{meshes} meshes of {meta['data_type']}, {len(self.mesh_ids)} names")
        self.faces: NDArray[np.int32] = read_array(path / "faces")  # (F, 3)

    @cached_property
    def _chunks(self) -> list[NDArray[np.float32]]:
        shape = (self._per_chunk, *self.shape[1:])
        count = -(-self.shape[0] // self._per_chunk)
        files = [self.path / "vertices" / "c" / str(k) / "0" / "0" for k in range(count)]
        with foreign(self.path, "vertices are missing or cut short", "run `repose store` again"):
            return [np.memmap(file, "<f4", mode="r", shape=shape) for file in files]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.mesh_ids)}

    def __len__(self) -> int:
        return self.shape[0]

    def __contains__(self, mesh_id: str) -> bool:
        return mesh_id in self._index

    def index_of(self, mesh_id: str) -> int:
        """Row of a mesh; raises ReposeError for an unknown name."""
        try:
            return self._index[mesh_id]
        except KeyError:
            raise ReposeError(f"no mesh {mesh_id!r} in the store", where=self.path) from None

    def vertices(self, indices: NDArray[np.integer]) -> NDArray[np.float32]:
        """Vertices (len(indices), V, 3) in metres of the meshes in those rows."""
        chunks = self._chunks  # which are as large as the shape says
        out = np.empty((len(indices), *self.shape[1:]), np.float32)
        for row, index in enumerate(np.asarray(indices).tolist()):
            out[row] = chunks[index // self._per_chunk][index % self._per_chunk]
        return out
