"""`repose bench obj`: reading a full-size body from .obj, trimesh against ours."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from repose.bench import compare
from repose.mesh.formats.io import read_mesh, write_obj
from repose.mesh.mesh import Mesh

VERTICES, FACES = 6890, 13776


def measure() -> dict[str, Any]:
    """Read one file of 6,890 vertices and 13,776 faces both ways; the error is of coordinates, in metres."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body.obj"
        write_obj(path, _body())
        theirs, ours = read_plainly(path), read_mesh(path)
        same = theirs.vertices.shape == ours.vertices.shape and np.array_equal(theirs.faces, ours.faces)
        error = float(np.abs(theirs.vertices - ours.vertices).max()) if same else float("inf")
        size = f"one .obj of {VERTICES} vertices and {FACES} faces"
        return compare("obj", size, lambda: read_plainly(path), lambda: read_mesh(path), error, repeats=15)


def _body() -> Mesh:
    """A mesh with the counts of a full-size body and the digits of real coordinates; faces are random."""
    rng = np.random.default_rng(0)
    return Mesh(
        rng.uniform(-0.9, 0.9, (VERTICES, 3)).astype(np.float32), rng.integers(0, VERTICES, (FACES, 3))
    )


def read_plainly(path: Path) -> trimesh.Trimesh:
    """A mesh as trimesh reads it, its vertices as they stand in the file."""
    return trimesh.load_mesh(path, process=False, maintain_order=True, skip_materials=True)
