"""Datasets of one file per mesh, in any format that `repose.mesh.formats` reads.

Such a dataset consists of its facts, with a pattern of file names, and its settings, which mostly differ only in their
defaults. Nothing slow is imported at the top, because Snakemake reads it at every start.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from repose.errors import ReposeError
from repose.raw.licensed import Licensed, LicensedGrid

if TYPE_CHECKING:
    from repose.mesh.mesh import Mesh
    from repose.raw.files import FileSource
    from repose.raw.inventory import Inventory


class MeshFiles(Licensed):
    """A licensed dataset whose files hold one mesh each."""

    def place(self, path: str) -> tuple[int, int] | None:
        """Return identity and pose of the mesh in a file: the groups `identity` and `pose` of `entry.files`.

        Returns:
            None if the file is not a mesh of the dataset.

        Raises:
            ReposeError: the pattern has no such groups.
        """
        found = self.entry.match(path)
        if found is None:
            return None
        if missing := {"identity", "pose"} - found.groupdict().keys():
            what = f"the pattern of its files has no group {min(missing)!r}"
            raise ReposeError(f"{self.source}: {what}", type(self).__module__, f"(?P<{min(missing)}>\\d+)")
        return int(found["identity"]), int(found["pose"])

    def finish(self, mesh: "Mesh") -> "Mesh":
        """Return a mesh from a file in metres with y up; by default it is returned unchanged.

        The result may depend on the dataset's settings, which are all part of every mesh's key.
        """
        return mesh

    def open_source(self, raw: Path) -> "FileSource":
        """Open the meshes of the inventory `raw`; see `repose.raw.settings.Dataset`."""
        from repose.raw.files import FileSource

        return FileSource.of(raw, self)


class FilePerMesh(MeshFiles, LicensedGrid):
    """A dataset with one file per mesh whose identities all have the same poses."""

    @cached_property
    def _chosen(self) -> dict[tuple[int, int], None]:
        """The meshes that the configuration asks for, in order."""
        return dict.fromkeys((i, p) for i in self.identities.all() for p in self.poses.all())

    def wanted(self, path: str) -> bool:
        """Return whether a file is of the identities and poses that the configuration asks for."""
        return self.place(path) in self._chosen

    def check(self, inventory: "Inventory") -> None:
        """Refuse a set in which an identity lacks a pose.

        Raises:
            ReposeError: meshes are missing; the message gives their number and the first one.
        """
        found = {self.place(file.path) for file in inventory.files}
        missing = [mesh for mesh in self._chosen if mesh not in found]
        if missing:
            raise ReposeError(
                f"{self.source} is incomplete: {len(missing)} of {len(self._chosen)} meshes are missing, "
                f"the first is identity {missing[0][0]} in pose {missing[0][1]}",
                inventory.root,
                "supply the rest, or choose fewer identities and poses in the configuration",
            )
