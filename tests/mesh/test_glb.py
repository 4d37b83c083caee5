"""Binary glTF in, and every format out: vertices stay in order."""

import json

import numpy as np
import pytest
import trimesh

from repose.errors import MeshError
from repose.mesh.formats.io import parse_mesh, read_mesh, write_mesh
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


def described(data, change):
    """The file with its description changed."""
    size = int.from_bytes(data[12:16], "little")
    tree = json.loads(data[20 : 20 + size])
    change(tree)
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    chunk = len(text).to_bytes(4, "little") + b"JSON" + text + data[20 + size :]
    return b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunk)).to_bytes(4, "little") + chunk


def in_many_places(tree):
    tree["nodes"] = [{"mesh": 0} for _ in range(9000)]
    tree["scenes"] = [{"nodes": list(range(9000))}]


def of_many_parts(tree):
    tree["meshes"][0]["primitives"] *= 9000


@pytest.mark.parametrize(
    ("change", "much"), [(in_many_places, "faces"), (in_many_places, "vertices"), (of_many_parts, "faces")]
)
def test_few_bytes_that_stand_for_much_are_refused(change, much, tmp_path):
    """Ten million corners, or vertices, of 100 kB."""
    rng = np.random.default_rng(0)
    count, faces = (10, 1200) if much == "faces" else (3500, 1)
    vertices = rng.normal(size=(count, 3)).astype(np.float32)
    mesh = trimesh.Trimesh(vertices, rng.integers(0, count, (faces, 3)), process=False)
    sound = mesh.export(file_type="glb")
    assert len(parse_mesh(sound, tmp_path / "a.glb").faces) == faces
    forged = described(sound, change)
    assert len(forged) < 1 << 20
    with pytest.raises(MeshError, match="a scene of .* vertices and corners of faces"):
        parse_mesh(forged, tmp_path / "a.glb")


def test_other_suffixes_are_refused(ball, tmp_path):
    with pytest.raises(MeshError, match=r"a.fbx: cannot write .fbx \(hint: use .obj"):
        write_mesh(tmp_path / "a.fbx", ball)
    assert not list(tmp_path.iterdir())
