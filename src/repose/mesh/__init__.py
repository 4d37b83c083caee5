"""Meshes: the type, strict readers and writers, operators and quality measures."""

from repose.mesh.io import read_mesh, write_obj
from repose.mesh.mesh import Mesh

__all__ = ["Mesh", "read_mesh", "write_obj"]
