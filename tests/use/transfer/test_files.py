"""The files of a transfer: one frame for one topology, a floor that stays one, and assets that come back whole."""

import numpy as np
import pytest
import trimesh

from repose.errors import ReposeError
from repose.mesh.formats.asset import read_asset
from repose.mesh.formats.io import write_mesh
from repose.mesh.frame import Answer
from repose.mesh.mesh import Mesh
from repose.methods.build import create
from repose.use.transfer.files import Said, describe, pair_of, read_rest, write
from repose.use.transfer.run import Body, transfer
from repose.weights.model import Model
from tests.gltf_files import Maker, opened, stored

BALL = trimesh.creation.icosphere(2)
STANDING = BALL.vertices * [0.3, 0.85, 0.2] + [0, 0.85, 0]
AUTO = Said(), Said()


def read_pair(identity, pose, says):
    return pair_of(read_asset(identity), read_asset(pose), says)


def saved(path, vertices, faces=BALL.faces):
    write_mesh(path, Mesh(vertices, faces))
    return path


def test_equal_faces_share_the_frame_that_is_better_known(tmp_path):
    standing = saved(tmp_path / "a.obj", STANDING)
    leaping = saved(tmp_path / "b.obj", STANDING[:, [0, 2, 1]] * 0.7 + 5)  # as long along z as along y before
    first, second = read_pair(standing, leaping, AUTO)
    assert first.body.frame.up.trust == "sure"
    assert second.body.frame.up == Answer("y", "sure", "as the identity, which has the same faces")
    second, first = read_pair(leaping, standing, AUTO)
    assert second.body.frame.up == Answer("y", "sure", "as the pose mesh, which has the same faces")
    # What the user says holds for the mesh that it is said of.
    first, second = read_pair(standing, leaping, (Said(), Said("z")))
    assert (first.body.frame.up.value, second.body.frame.up.value) == ("y", "z")
    # Other faces say nothing about the frame.
    other = saved(tmp_path / "c.obj", STANDING[:, [0, 2, 1]] * 0.7 + 5, BALL.faces[::-1])
    assert read_pair(standing, other, AUTO)[1].body.frame.up.value == "z"


def test_equal_faces_share_a_unit_if_their_sizes_fit(tmp_path):
    # By their longest sides alone, the first would be in centimetres and the second in millimetres.
    sizes = {"a": 170, "b": 190, "c": 1.0}
    a, b, c = (saved(tmp_path / f"{name}.obj", STANDING * size) for name, size in sizes.items())
    assert read_pair(a, b, AUTO)[1].body.frame.unit == Answer(
        "cm", "likely", "as the identity, which has the same faces"
    )
    assert read_pair(a, b, (Said(), Said(unit="mm")))[1].body.frame.unit.value == "mm"
    first, second = read_pair(a, c, AUTO)
    assert (first.body.frame.unit.value, second.body.frame.unit.value) == ("cm", "m")


def test_seams_and_flat_faces_are_said(tmp_path):
    soup = np.r_[BALL.triangles.reshape(-1, 3) * [0.3, 0.85, 0.2], [[0.0, 0, 0]]]
    faces = np.r_[np.arange(960).reshape(-1, 3), [[7, 7, 8]]]
    source, _ = read_pair(saved(tmp_path / "a.ply", soup, faces), saved(tmp_path / "b.ply", STANDING), AUTO)
    said = "\n".join(describe("identity", source))
    assert "vertices where another is, at a seam: 798, which move with it" in said
    assert "faces without an area: 1, left out of the geometry, kept in the file" in said
    assert "vertices in no face: 1, which stay where they are" in said


@pytest.mark.parametrize("up", ["y", "z"])
def test_a_body_on_the_floor_stays_on_it(tmp_path, up):
    at = STANDING if up == "y" else STANDING[:, [0, 2, 1]] * [1, -1, 1]
    axis = "xyz".index(up)
    source, _ = read_pair(
        saved(tmp_path / "a.obj", at), saved(tmp_path / "b.ply", STANDING), (Said(up), Said())
    )
    assert source.body.stands
    crouched = source.body.upright * [1, 0.4, 1.5]
    crouched -= (crouched.max(axis=0) + crouched.min(axis=0)) / 2
    posed = source.body.with_shape(crouched).vertices
    assert posed[:, axis].min() == pytest.approx(at[:, axis].min(), abs=1e-9)
    assert posed[:, 0].max() + posed[:, 0].min() == pytest.approx(at[:, 0].max() + at[:, 0].min(), abs=1e-9)
    assert "stands on the floor" in "\n".join(write(source, tmp_path / "c.obj", posed))
    floating, _ = read_pair(saved(tmp_path / "d.obj", at + 0.1), tmp_path / "b.ply", (Said(up), Said()))
    assert not floating.body.stands
    posed = floating.body.with_shape(crouched).vertices
    middle = (at[:, axis].max() + at[:, axis].min()) / 2 + 0.1
    assert (posed[:, axis].max() + posed[:, axis].min()) / 2 == pytest.approx(middle, abs=1e-9)


def copying(tmp_path):
    """A model that takes the vertices of the pose mesh, which must be in the order of the identity's."""
    return Model(create("copy", mesh="pose"), tmp_path / "copy.safetensors", {"architecture": "copy"})


def test_a_model_that_needs_one_order_refuses_two(tmp_path):
    turned = BALL.faces[::-1]
    files = saved(tmp_path / "a.obj", STANDING), saved(tmp_path / "b.obj", STANDING * 1.1, turned)
    first, second = read_pair(*files, AUTO)
    with pytest.raises(ReposeError, match="needs two bodies of one vertex order and the same faces"):
        transfer(first.body, second.body, copying(tmp_path))
    same = read_pair(files[0], saved(tmp_path / "c.obj", STANDING * 1.1), AUTO)
    assert transfer(*(source.body for source in same), copying(tmp_path)).upright.shape == STANDING.shape


def glb(path, vertices, **node):
    """A textured body of which every triangle has vertices of its own."""
    maker = Maker()
    soup = vertices[BALL.faces].reshape(-1, 3).astype(np.float32)
    attributes = {
        "POSITION": maker.numbers(soup),
        "NORMAL": maker.numbers(soup),
        "TEXCOORD_0": maker.numbers(soup[:, :2]),
    }
    maker.node(mesh=maker.mesh({"attributes": attributes, "material": maker.textured()}), name="Ann", **node)
    path.write_bytes(maker.packed())
    return path, attributes


@pytest.mark.parametrize("finish", ["none", "arap", "rotations", "icp"])
def test_a_textured_glb_is_posed_whole(tmp_path, finish):
    identity, attributes = glb(tmp_path / "a.glb", STANDING, translation=[0, 0, 2])
    pose, _ = glb(tmp_path / "b.glb", STANDING * [1.2, 0.9, 1.1])
    first, second = read_pair(identity, pose, AUTO)
    outcome = transfer(first.body, second.body, copying(tmp_path), finish=finish)
    lines = write(first, tmp_path / "c.glb", outcome.mesh.vertices)
    assert lines == ["          it stands on the floor, as the identity does"]
    after = read_asset(tmp_path / "c.glb")
    assert after.joined == first.asset.joined, "no seam has opened"
    assert np.array_equal(after.mesh.faces, first.asset.mesh.faces)
    assert not np.allclose(after.mesh.vertices, first.asset.mesh.vertices, atol=0.005)
    assert after.mesh.vertices[:, 1].min() == pytest.approx(STANDING[:, 1].min(), abs=1e-6)
    same = attributes["TEXCOORD_0"]
    assert np.array_equal(stored(after.data, same), stored(first.asset.data, same))
    assert opened(after.data)[0]["materials"] == opened(first.asset.data)[0]["materials"]


def test_the_body_at_rest_is_joined_like_the_pose_mesh(tmp_path):
    (identity, _), (pose, _) = glb(tmp_path / "a.glb", STANDING), glb(tmp_path / "b.glb", STANDING * 1.1)
    _, second = read_pair(identity, pose, AUTO)
    rest = read_rest(identity, second)
    assert isinstance(rest, Body) and np.array_equal(rest.mesh.faces, second.body.mesh.faces)
    with pytest.raises(ReposeError, match="pose mesh and its body at rest have other faces"):
        read_rest(saved(tmp_path / "c.obj", STANDING), second)


def test_files_of_materials_are_named_where_they_are_not_beside_the_result(tmp_path):
    path = saved(tmp_path / "a.obj", STANDING + 1)
    path.write_bytes(b"mtllib skin.mtl\n" + path.read_bytes())
    source, _ = read_pair(path, path, AUTO)
    (tmp_path / "out").mkdir()
    assert write(source, tmp_path / "b.obj", source.asset.mesh.vertices) == []
    (line,) = write(source, tmp_path / "out" / "b.obj", source.asset.mesh.vertices)
    assert line.endswith("to be copied beside it: skin.mtl")
    (line,) = write(source, tmp_path / "out" / "b.ply", source.asset.mesh.vertices)
    assert line.endswith("a .ply written from a .obj has no materials")


def test_a_skeleton_is_said_to_be_at_rest(tmp_path):
    maker = Maker()
    four = {
        "JOINTS_0": maker.numbers(np.zeros((162, 4)), "u1"),
        "WEIGHTS_0": maker.numbers(np.eye(4)[[0] * 162]),
    }
    surface = {
        "attributes": {"POSITION": maker.numbers(STANDING), **four},
        "indices": maker.numbers(BALL.faces.ravel(), "u2"),
    }
    maker.tree["skins"] = [{"joints": [0]}]
    maker.node(mesh=maker.mesh(surface), skin=0)
    (tmp_path / "a.glb").write_bytes(maker.packed())
    source, _ = read_pair(tmp_path / "a.glb", tmp_path / "a.glb", AUTO)
    said = write(source, tmp_path / "b.glb", source.asset.mesh.vertices * [1, 1, 2])
    assert said[0] == "          skin weights and skeleton are kept; the new pose is their rest pose"
    assert (
        "has no skeleton and skin weights" in write(source, tmp_path / "b.obj", source.asset.mesh.vertices)[0]
    )
