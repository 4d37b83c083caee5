"""Weights that come with the package: by name, and what they see of a mesh."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from safetensors.torch import save_file
from scipy.spatial.transform import Rotation

import repose
from repose.errors import ReposeError
from repose.mesh.formats.io import read_mesh, write_mesh
from repose.mesh.frame import Answer, Frame, find_up
from repose.mesh.mesh import Mesh
from repose.methods.build import count_parameters, create
from repose.use.transfer import poser
from repose.use.transfer.body import Body
from repose.use.transfer.command import run
from repose.use.transfer.files import Said
from repose.use.transfer.models import matcher_of, open_model, usual_finish
from repose.use.transfer.poser import Poser
from repose.weights.model import Model
from repose.weights.shipped import KINDS, METADATA, shipped

SETTINGS = {"width": 8, "blocks": 1, "vibrations": 16, "finds_frame": True}
AUTO = Said(), Said()
UPRIGHT = Frame(Answer("y", "given", ""), Answer("m", "given", ""))


def egg(subdivisions, sides):
    ball = trimesh.creation.icosphere(subdivisions)
    return Mesh(ball.vertices * sides, ball.faces)


IDENTITY, POSE = egg(2, (0.3, 0.85, 0.2)), egg(3, (0.45, 0.8, 0.25))


@pytest.fixture
def box(tmp_path, monkeypatch):
    """Weights of both kinds."""
    for number, kind in enumerate(KINDS):
        torch.manual_seed(number)
        network = create("canonical", **SETTINGS)
        text = json.dumps({"architecture": "canonical"} | SETTINGS)
        tensors = {k: v.half() for k, v in network.state_dict().items()}
        save_file(tensors, tmp_path / f"{kind}.safetensors", metadata={METADATA: text})
    monkeypatch.setattr("repose.weights.shipped.FOLDER", tmp_path)
    monkeypatch.setattr("repose.use.transfer.models.FOLDER", tmp_path)
    write_mesh(tmp_path / "i.obj", IDENTITY), write_mesh(tmp_path / "p.obj", POSE)
    return tmp_path


def test_names_open_the_weights_in_single_precision(box):
    for kind in KINDS:
        model = open_model(shipped(kind))
        assert model.inference.placing.first[0].dtype == np.float32
        assert model.parameters == count_parameters(create("canonical", **SETTINGS))
    with pytest.raises(ReposeError, match="no weights for 'fish'.*human, animal"):
        shipped("fish")


def test_the_weights_of_the_box_give_whole_bodies_by_default(box):
    run(box / "i.obj", box / "p.obj", Path("human"), box / "auto.obj", AUTO)
    run(box / "i.obj", box / "p.obj", Path("human"), box / "icp.obj", AUTO, finish="icp")
    run(box / "i.obj", box / "p.obj", Path("human"), box / "none.obj", AUTO, finish="none")
    run(box / "i.obj", box / "p.obj", shipped("human"), box / "named.obj", AUTO)
    auto = (box / "auto.obj").read_bytes()
    assert auto == (box / "icp.obj").read_bytes() == (box / "named.obj").read_bytes()
    assert auto != (box / "none.obj").read_bytes()


def test_three_lines_of_python_do_what_the_command_does(box):
    run(box / "i.obj", box / "p.obj", shipped("human"), box / "o.obj", AUTO)
    posed = repose.load("human").transfer(box / "i.obj", box / "p.obj")
    posed.save(box / "python.obj")
    assert (box / "python.obj").read_bytes() == (box / "o.obj").read_bytes()
    assert np.abs(posed.vertices - read_mesh(box / "o.obj").vertices).max() < 1e-6
    assert 0 <= posed.edge_error < 1


def test_a_transfer_loads_none_of_what_takes_a_second(box):
    """PyTorch, numba, pandas and matplotlib together take longer than all the rest."""
    slow = {"torch", "numba", "pandas", "matplotlib", "pydantic"}
    code = "import sys, repose; repose.load('human').transfer('i.obj', 'p.obj').save('o.obj'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=box)
    assert (box / "o.obj").exists() and not slow & {*done.stdout.split()}


def test_a_model_that_finds_frames_is_asked_for_up(box):
    matcher = matcher_of(open_model(shipped("human")))
    direction = matcher.up_finders(IDENTITY, POSE)[0]()
    assert np.linalg.norm(direction) == pytest.approx(1, abs=1e-5)
    assert matcher.candidate_frames_of(IDENTITY) is matcher.candidate_frames(Body.of(IDENTITY, UPRIGHT)), (
        "and the mesh is evaluated once"
    )
    assert matcher_of(Model(create("npt", width=8), box / "npt.safetensors", {})) is None


@pytest.mark.parametrize("which", ["i.obj", "p.obj"])
def test_faces_that_point_inwards_or_anywhere_change_nothing_but_themselves(box, capsys, which):
    run(box / "i.obj", box / "p.obj", Path("human"), box / "sound.obj", AUTO)
    mesh, draw = read_mesh(box / which), np.random.default_rng(0)
    for some in (np.ones(len(mesh.faces), bool), draw.random(len(mesh.faces)) < 0.5):
        faces = np.where(some[:, None], mesh.faces[:, ::-1], mesh.faces)
        write_mesh(box / which, Mesh(mesh.vertices, faces))
        capsys.readouterr()
        run(box / "i.obj", box / "p.obj", Path("human"), box / "turned.obj", AUTO)
        assert f"not as their neighbours: {some.sum():,}, turned" in capsys.readouterr().out
        sound, turned = read_mesh(box / "sound.obj"), read_mesh(box / "turned.obj")
        assert np.abs(sound.vertices - turned.vertices).max() < 1e-5
        assert np.array_equal(turned.faces, faces if which == "i.obj" else sound.faces)


def test_what_cannot_be_written_is_told_before_anything_is_read(box):
    (box / "folder.obj").mkdir()
    for out, report, what in [
        ("folder.obj", None, "folder.obj: is a folder"),
        ("i.obj", None, "is an input, which the result would replace"),
        ("p.obj", None, "is an input"),
        ("i.obj/c.obj", None, "i.obj is no folder"),
        ("c.obj", "c.jpg", "cannot write a picture as .jpg"),
        ("c.obj", "i.png/c.png", "i.png is no folder"),
    ]:
        (box / "i.png").touch()
        with pytest.raises(ReposeError, match=what):
            run(box / "i.obj", box / "p.obj", Path("none"), box / out, AUTO, report and box / report)
    posed = repose.load("human").transfer(box / "i.obj", box / "p.obj")
    for out in ("folder.obj", "i.obj"):
        with pytest.raises(ReposeError, match=r"is a folder|is an input"):
            posed.save(box / out)
    posed.save(box / "new" / "folder" / "c.obj")
    assert (box / "new" / "folder" / "c.obj").exists()
    with pytest.raises(ReposeError, match="no finish 'foo'.*arap"):
        repose.load("human").transfer(box / "i.obj", box / "p.obj", finish="foo")


def test_a_file_of_two_bodies_is_asked_about(box, capsys):
    both = np.concatenate([IDENTITY.vertices, IDENTITY.vertices + np.array([2, 0, 0])])
    faces = np.concatenate([IDENTITY.faces, IDENTITY.faces + len(IDENTITY.vertices)])
    write_mesh(box / "two.obj", Mesh(both, faces))
    run(box / "two.obj", box / "p.obj", Path("human"), box / "o.obj", AUTO)
    assert "in 2 pieces, the largest with 50% of the area: is it one body?" in capsys.readouterr().out


def test_a_giant_is_as_good_as_any(box, capsys):
    write_mesh(box / "giant.obj", Mesh(IDENTITY.vertices * 9, IDENTITY.faces))
    run(box / "giant.obj", box / "p.obj", Path("human"), box / "o.obj", (Said(unit="m"), Said()))
    said = capsys.readouterr().out
    assert np.ptp(read_mesh(box / "o.obj").vertices, axis=0).max() > 4
    assert "no part can be further" not in said and "face along" not in said


def test_loose_triangles_are_refused_in_one_line(box):
    draw = np.random.default_rng(0)
    loose = POSE.vertices[POSE.faces].reshape(-1, 3)
    loose = loose + draw.normal(0, 1e-7, loose.shape)
    write_mesh(box / "p.obj", Mesh(loose, np.arange(len(loose)).reshape(-1, 3)))
    with pytest.raises(ReposeError, match=r"3,840 vertices is in 1,280 pieces.*merge by distance"):
        run(box / "i.obj", box / "p.obj", Path("human"), box / "o.obj", AUTO)
    assert not (box / "o.obj").exists()


@pytest.mark.parametrize(
    ("scale", "unit", "what"),
    [
        (1e-200, "auto", "b.obj: its faces have no area"),
        (1e300, "auto", "b.obj: a coordinate is too large for float32"),
        (1, "inf", "b.obj: unit 'inf' is none of m"),
        (1, "1e-300", "b.obj: unit '1e-300' is none of m"),
    ],
)
def test_sizes_that_no_number_can_hold_are_refused(box, scale, unit, what):
    rows = [f"v {x!r} {y!r} {z!r}" for x, y, z in (IDENTITY.vertices * scale).tolist()]
    rows += [f"f {a} {b} {c}" for a, b, c in (IDENTITY.faces + 1).tolist()]
    (box / "b.obj").write_text("\n".join(rows))
    with pytest.raises(ReposeError, match=what):
        run(box / "b.obj", box / "p.obj", Path("human"), box / "o.obj", (Said(unit=unit), Said()))


def test_a_finish_that_nobody_names_is_that_of_the_weights(box, monkeypatch):
    npt = Model(create("npt", width=8), box / "mine" / "npt.safetensors", {})
    assert [usual_finish(model) for model in (open_model(shipped("human")), npt)] == ["icp", "none"]
    named = []
    monkeypatch.setattr(poser, "transfer", lambda *bodies, finish, matcher: named.append(finish))
    for finish in (None, "arap"):
        Poser(npt).transfer(box / "i.obj", box / "p.obj", finish)
    assert named == ["none", "arap"]


@pytest.mark.parametrize(("axis", "direction"), [("z", (0.1, 0, 1)), ("-x", (-1, 0.2, 0)), ("y", (0, 1, 0))])
def test_up_is_the_axis_nearest_to_what_was_seen(axis, direction):
    sides, lowest = np.ones(3), -np.ones(3) / 2  # a cube that is not on the ground says nothing
    seen = np.array(direction) / np.linalg.norm(direction)
    found = find_up(sides, lowest, lambda: seen)
    assert (found.value, found.trust) == (axis, "likely")
    between = Rotation.from_euler("xyz", [45, 30, 0], degrees=True).apply([0, 1, 0])
    assert find_up(sides, lowest, lambda: between).trust == "a guess"


def test_a_body_on_the_ground_needs_no_look():
    def find_up_axis():
        raise AssertionError("asked")

    assert find_up(np.array([0.5, 1.7, 0.3]), np.array([-0.2, 0.0, -0.1]), find_up_axis).value == "y"


def test_a_size_that_is_no_body_is_no_matter(box, capsys):
    write_mesh(box / "i.obj", Mesh(IDENTITY.vertices * 7, IDENTITY.faces))
    run(box / "i.obj", box / "p.obj", Path("human"), box / "o.obj", AUTO)
    assert "unit m (a guess: its size is no body's in m, cm or mm" in capsys.readouterr().out
    sides = np.ptp(read_mesh(box / "o.obj").vertices, axis=0)
    assert 0.5 < sides.max() / np.ptp(7 * IDENTITY.vertices, axis=0).max() < 2
