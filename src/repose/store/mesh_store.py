"""Read packed meshes without copying them into memory first."""

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import counts, read_array, read_meta


class MeshStore:
    """The packed meshes of one dataset.

    `vertices(indices)` maps the uncompressed chunk files into memory: a read costs one copy of what is asked
    for, processes share the pages, and a store may be larger than memory. A file that a manifest states is checked
    when it is first read.
    """

    def __init__(self, path: Path):
        self.path = path
        if not (path / "zarr.json").is_file():
            raise ReposeError("no mesh store", where=path, hint="run `repose store`")
        self._files = stated(path)
        meta, group = read_meta(path / "vertices", self._files), read_meta(path, self._files)
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
        self.faces: NDArray[np.int32] = read_array(path / "faces", self._files)  # (F, 3)
        self._chunks: dict[int, NDArray[np.float32]] = {}

    def _chunk(self, number: int) -> NDArray[np.float32]:
        if number not in self._chunks:
            shape = (self._per_chunk, *self.shape[1:])
            file = self.path / "vertices" / "c" / str(number) / "0" / "0"
            with foreign(file, "vertices are missing or cut short", "run `repose store` again"):
                mapped = np.memmap(file, "<f4", mode="r", shape=shape)
            self._files.check(file, mapped.reshape(-1).view(np.uint8))
            self._chunks[number] = mapped
        return self._chunks[number]

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
        places = [divmod(index, self._per_chunk) for index in np.asarray(indices).tolist()]
        chunks = [self._chunk(number) for number, _ in places]  # which are as large as the shape says
        out = np.empty((len(indices), *self.shape[1:]), np.float32)
        for row, (chunk, (_, place)) in enumerate(zip(chunks, places, strict=True)):
            out[row] = chunk[place]
        return out
