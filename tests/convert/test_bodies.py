"""What conversion writes: names, layout and values that the published loaders read."""

import re

import numpy as np
import pytest
import trimesh

from repose.convert.bodies import write_bodies
from repose.convert.catalog import COLUMNS, mesh_digest
from repose.errors import MeshError
from repose.mesh.formats.io import read_mesh
from repose.mesh.quality import QUALITY

SPHERE = trimesh.creation.icosphere(subdivisions=1)
FACES = SPHERE.faces.astype(np.int32)


@pytest.fixture
def written(tmp_path):
    rng = np.random.default_rng(0)
    bodies = [
        (i, p, (SPHERE.vertices * rng.uniform(0.3, 2, 3)).astype(np.float32))
        for i in (0, 17)
        for p in (3, 600)
    ]
    return write_bodies(bodies, FACES, tmp_path / "obj", "test", "CC0-1.0"), tmp_path / "obj", bodies


def test_the_catalogue_has_a_row_per_mesh(written):
    rows, folder, bodies = written
    assert list(rows.columns) == COLUMNS + QUALITY
    assert list(rows.mesh_id) == ["id0_3", "id0_600", "id17_3", "id17_600"]
    assert sorted(p.stem for p in folder.iterdir()) == sorted(rows.mesh_id)
    assert (rows.vertices == 42).all() and (rows.faces == 80).all() and (rows.licence == "CC0-1.0").all()
    for row, (identity, pose, vertices) in zip(rows.itertuples(), bodies, strict=True):
        mesh = read_mesh(folder / f"{row.mesh_id}.obj")
        assert (row.identity, row.pose) == (identity, pose)
        assert np.array_equal(mesh.vertices.astype(np.float32), vertices) and mesh_digest(mesh) == row.sha256


def test_a_plain_line_reader_and_trimesh_read_the_same(written):
    _, folder, bodies = written
    lines = (folder / "id17_600.obj").read_text().splitlines()
    assert all(re.fullmatch(r"v( [-+.\de]+){3}|f( \d+){3}", line) for line in lines)
    vertices = np.array([line.split()[1:] for line in lines if line[0] == "v"], np.float32)
    assert np.array_equal(vertices, bodies[-1][2])
    theirs = trimesh.load_mesh(folder / "id17_600.obj", process=False, maintain_order=True)
    assert np.array_equal(theirs.vertices.astype(np.float32), bodies[-1][2]) and np.array_equal(
        theirs.faces, FACES
    )


def test_a_body_with_no_number_stops_the_conversion_and_is_named(tmp_path):
    broken = SPHERE.vertices.astype(np.float32).copy()
    broken[5, 1] = np.nan
    with pytest.raises(MeshError, match=r"id1_2\.obj: vertex 5 is not finite"):
        write_bodies([(1, 2, broken)], FACES, tmp_path / "obj", "test", "own")
