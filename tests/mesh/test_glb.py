"""Binary glTF in, and every format out: vertices stay in order."""

import numpy as np
import pytest
import trimesh

from repose.errors import MeshError
from repose.mesh.formats.io import read_mesh, write_mesh
from repose.mesh.mesh import Mesh


@pytest.fixture
def ball():
    solid = trimesh.creation.icosphere(1)
    order = np.random.default_rng(0).permutation(len(solid.vertices))
    return Mesh(solid.vertices[order].astype(np.float32), np.argsort(order)[solid.faces])


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".off", ".glb"])
def test_what_is_written_reads_back_in_order(ball, tmp_path, suffix):
    write_mesh(tmp_path / f"a{suffix}", ball)
    back = read_mesh(tmp_path / f"a{suffix}")
    assert np.allclose(back.vertices, ball.vertices, atol=1e-7) and np.array_equal(back.faces, ball.faces)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


def test_seams_are_kept_and_scenes_are_joined_in_their_places(ball, tmp_path):
    doubled = trimesh.Trimesh(np.concatenate([ball.vertices, ball.vertices[:5]]), ball.faces, process=False)
    scene = trimesh.Scene()
    scene.add_geometry(doubled, transform=trimesh.transformations.translation_matrix([0, 2, 0]))
    scene.add_geometry(trimesh.creation.box())
    (tmp_path / "s.glb").write_bytes(scene.export(file_type="glb"))
    back = read_mesh(tmp_path / "s.glb")
    assert len(back.vertices) == len(ball.vertices) + 5 + 8 and len(back.faces) == len(ball.faces) + 12
    assert np.allclose(back.vertices[: len(ball.vertices)], ball.vertices + np.array([0, 2, 0]), atol=1e-6)
    assert back.faces[-12:].min() == len(ball.vertices) + 5


@pytest.mark.parametrize("damage", ["cut", "not glTF", "no mesh", "noise"])
def test_damaged_files_are_one_line(ball, tmp_path, damage):
    write_mesh(tmp_path / "a.glb", ball)
    data = (tmp_path / "a.glb").read_bytes()
    points = trimesh.Scene(trimesh.PointCloud(ball.vertices)).export(file_type="glb")
    content = {
        "cut": data[: len(data) // 2],
        "not glTF": b"solid\n",
        "no mesh": points,
        "noise": data[:40] + bytes(len(data) - 40),
    }
    (tmp_path / "a.glb").write_bytes(content[damage])
    with pytest.raises(MeshError, match=r"a\.glb: ") as error:
        read_mesh(tmp_path / "a.glb")
    assert "\n" not in str(error.value)


def test_other_suffixes_are_refused(ball, tmp_path):
    with pytest.raises(MeshError, match=r"a.fbx: cannot write .fbx \(hint: use .obj"):
        write_mesh(tmp_path / "a.fbx", ball)
    assert not list(tmp_path.iterdir())
