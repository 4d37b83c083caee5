"""The local meshes of a list, each verified against the list's hashes."""

from collections.abc import Mapping
from functools import cache

from repose.benchmark.lists import rest_of, stored
from repose.benchmark.variants import variant
from repose.convert.catalog import mesh_digest
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.store.mesh_store import MeshStore


class ListedMeshes:
    """The meshes of a list.

    Args:
        store: packed meshes of the dataset.
        hashes: sha256 of the content of each mesh of the list.
        rest_pose: number of the pose at rest; None: the dataset has none.

    Attributes:
        names: names of the meshes.
    """

    def __init__(self, store: MeshStore, hashes: Mapping[str, str], rest_pose: int | None = None):
        self._store, self._hashes, self._rest_pose = store, hashes, rest_pose
        self.mesh = cache(self._mesh)
        self.names = tuple(hashes)

    def _mesh(self, name: str) -> Mesh:
        """Return a mesh of the list with float32 values.

        Raises:
            ReposeError: the list does not name the mesh, or the local mesh differs.
        """
        where = self._store.path
        if name not in self._hashes:
            raise ReposeError(f"the list has no hash of mesh {name}", where)
        mesh = variant(stored(self._store, name), name)
        if mesh_digest(mesh) != self._hashes[name]:
            raise ReposeError(
                f"mesh {name} is not the one of the list: their hashes differ", where,
                "make the dataset again from the files, and with the settings, of the list",
            )  # fmt: skip
        return mesh

    def rest(self, name: str) -> Mesh:
        """Return the body of a mesh at rest.

        Raises:
            ReposeError: the dataset has no pose at rest.
        """
        if self._rest_pose is None:
            raise ReposeError(
                "the dataset has no pose at rest", self._store.path, "tracks P, PC and K need none"
            )
        return self.mesh(rest_of(name, self._rest_pose))
