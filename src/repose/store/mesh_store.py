"""Read packed meshes from memory-mapped files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import read_array, read_meta
from repose.store.rows import MappedRows, NamedRows

_HINT = "run `repose store` again"


class MeshStore(NamedRows):
    """The packed meshes of one dataset, mapped into memory.

    A file that the manifest names is checked when it is first read.
    """

    what = "mesh"

    def __init__(self, path: Path):
        if not (path / "zarr.json").is_file():
            raise ReposeError("no mesh store", where=path, hint="run `repose store`")
        files = stated(path)
        self._vertices = MappedRows(path / "vertices", files, _HINT)
        group = read_meta(path, files)
        with foreign(path, "not a mesh store", _HINT):
            meshes, vertices, axes = self._vertices.shape
            self.shape = meshes, vertices, axes
            self.mesh_ids = [str(name) for name in group["attributes"]["mesh_ids"]]
            if self._vertices.dtype != np.float32 or len(self.mesh_ids) != meshes:
                raise ValueError(f"{meshes} meshes of {self._vertices.dtype}, {len(self.mesh_ids)} names")
        self.faces: NDArray[np.int32] = read_array(path / "faces", files)  # (F, 3)
        super().__init__(path, self.mesh_ids)

    def vertices(self, indices: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vertices (len(indices), V, 3), metres, of the meshes in those rows."""
        return self._vertices.take(indices)
