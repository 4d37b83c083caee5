"""The smallest project of every stage but `score-renders`: raw files of FAUST's naming on a mesh of 122 vertices."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from conftest import Project
from released import body, faces_of, ply

VERTICES = 122
MESHES = [(i, p) for i in range(4) for p in range(6)]
HERE = Path(__file__).parent


class Tiny(Project):
    """The real workflow on raw files that a test brings."""

    presets = ()

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None):
        super().__init__(folder, environment)
        (folder / "config.yaml").write_text((HERE / "config.yaml").read_text())
        path = [str(HERE / "any_mesh"), *filter(None, [self.environment.get("PYTHONPATH")])]
        self.environment["PYTHONPATH"] = os.pathsep.join(path)

    @property
    def raw(self) -> Path:
        """Where a user puts the files."""
        return self.folder / "data" / "raw" / "faust"


def mesh_file(identity: int, pose: int, bend: int = 0) -> tuple[str, bytes]:
    """Name and content of a registration; `bend` makes another pose of it."""
    content = ply(body(identity, pose + bend, VERTICES), faces_of(VERTICES))
    return f"tr_reg_{10 * identity + pose:03}.ply", content


def bring_files(folder: Path) -> None:
    """One file per mesh, as after unpacking."""
    folder.mkdir(parents=True)
    for name, content in (mesh_file(*mesh) for mesh in MESHES):
        (folder / name).write_bytes(content)


def bring_archive(folder: Path, bend: int = 0) -> None:
    """The archive as downloaded."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "MPI-FAUST.zip", "w") as archive:
        for name, content in (mesh_file(*mesh, bend) for mesh in MESHES):
            archive.writestr(f"MPI-FAUST/training/registrations/{name}", content)
