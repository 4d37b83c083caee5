"""Motions read, carried to another body, and written."""

from dataclasses import replace
from itertools import pairwise

import h5py
import numpy as np
import pytest
import torch
import trimesh
from torch import nn

from repose.errors import MeshError, ReposeError
from repose.mesh.formats.io import read_mesh, write_mesh
from repose.mesh.frame import Answer, Frame
from repose.mesh.mesh import Mesh
from repose.mesh.variation import decimated
from repose.methods.interface import Transfer, TransferNetwork
from repose.use.animate import command
from repose.use.animate import scans as follow_module
from repose.use.animate.motion import Scans, read_motion
from repose.use.animate.moves import Mover, Moving, match
from repose.use.animate.scans import follow
from repose.use.transfer.files import Said
from repose.use.transfer.run import Body
from repose.weights.model import Model

UPRIGHT = Frame(Answer("y", "given", ""), Answer("m", "given", ""))
AUTO = Said(), Said()
BALL, FINE = trimesh.creation.icosphere(2), trimesh.creation.icosphere(3)
TIMES = np.linspace(0, 1, 7)


def bent(vertices, time):
    """Places of a body that bends sideways, rises on half of its way, and stands on the floor else."""
    out = vertices + 0.4 * time * vertices[:, [1]] ** 2 * [1, 0, 0]
    return out + np.array([0, 1.0 + 0.5 * max(0, np.sin(2 * np.pi * time)) - out[:, 1].min(), 0])


def motion_frames():
    body = FINE.vertices * [0.3, 0.9, 0.2]
    return np.stack([bent(body, time) for time in TIMES]).astype(np.float32)


IDENTITY = Mesh(BALL.vertices * [0.36, 0.9, 0.24] + [3, 0.9, 0], BALL.faces)


class Stretches(nn.Module, TransferNetwork):
    """Matches ellipsoids by their sides, but for bodies that are bent, which it mistakes for something else."""

    def forward(self, identity, pose):
        side = (pose.amax(1) - pose.amin(1)) / (identity.amax(1) - identity.amin(1))
        found = identity * side[:, None]
        bend = (pose[..., 0] * (pose[..., 1] ** 2 - 0.3)).mean(dim=1).abs()
        return Transfer(torch.where(bend[:, None, None] > 0.01, found.flip(1), found))


@pytest.fixture
def model(tmp_path):
    return Model(Stretches(), tmp_path / "none.safetensors", {"architecture": "stub"})


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "m.npz", vertices=motion_frames(), faces=FINE.faces, rate=24.0)
    return tmp_path / "m.npz"


def aligned(a, b):
    return a - a.mean(axis=0), b - b.mean(axis=0)


def test_a_body_of_other_triangles_and_girth_bends_as_the_moving_one(npz, model):
    moving, identity = Moving.of(read_motion(npz), UPRIGHT), Body.of(IDENTITY, UPRIGHT)
    found = match(identity, moving, model)
    assert found.frame == 0, "the others were matched wrongly"
    mover = Mover(identity, moving, found)
    for frame, time in enumerate(TIMES):
        shape, truth = aligned(mover.shape(frame), bent(IDENTITY.vertices - [3, 0.9, 0], time))
        off = np.linalg.norm(shape - truth, axis=1).mean()
        still = np.linalg.norm(np.subtract(*aligned(identity.upright, truth)), axis=1).mean()
        assert off < 0.02, "2 cm of a body of 1.8 m"
        assert frame < 3 or off < still / 4  # before, it is nearly straight


def test_what_stands_does_not_slide_and_a_leap_is_as_high_as_the_body_is_large(npz, model):
    moving, identity = Moving.of(read_motion(npz), UPRIGHT), Body.of(IDENTITY, UPRIGHT)
    mover = Mover(identity, moving, match(identity, moving, model))
    frames = mover.frames(np.stack([mover.shape(k) for k in range(len(TIMES))]))
    heights = frames[:, :, 1].min(axis=1)
    leap = 0.5 * np.maximum(0, np.sin(2 * np.pi * TIMES))
    assert heights == pytest.approx(mover.match.scale * leap, abs=1e-6), "and its floor is the identity's"
    lowest = frames[0, :, 1].argmin()
    grounded = np.flatnonzero(leap < 1e-6)
    theirs = moving.frames[:, moving.frames[0, :, 1].argmin()] * mover.match.scale
    for before, after in pairwise(grounded):
        if after == before + 1:
            ours = frames[after, lowest] - frames[before, lowest]
            assert np.abs(ours - (theirs[after] - theirs[before]))[[0, 2]].max() < 0.02
    assert np.abs((frames[0].max(0) + frames[0].min(0))[[0, 2]] / 2 - [3, 0]).max() < 1e-6


@pytest.mark.parametrize("suffix", [".glb", ".npz", ""])
def test_the_command_writes_what_it_says_and_what_can_be_read_again(
    tmp_path, npz, model, monkeypatch, capsys, suffix
):
    monkeypatch.setattr(command, "model_for", lambda path, *meshes: (model, None))
    write_mesh(tmp_path / "i.obj", IDENTITY)
    out = tmp_path / f"moves{suffix}"
    command.run(tmp_path / "i.obj", npz, "stub", out, AUTO, report=tmp_path / "r.png")
    said = capsys.readouterr().out
    assert "7 frames, 24 a second; matched in frame 0" in said and "m/s²" in said
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    again = read_motion(out, rate=24)
    assert again.frames.shape == (7, len(IDENTITY.vertices), 3) and (again.faces == IDENTITY.faces).all()
    lowest = again.frames[:, :, 1].min(axis=1)
    assert lowest.min() == pytest.approx(0, abs=1e-5) and lowest.max() > 0.3
    if not suffix:
        assert sorted(p.name for p in out.iterdir()) == [f"{k:04}.obj" for k in range(7)]
        with pytest.raises(MeshError, match="is there already"):
            command.run(tmp_path / "i.obj", npz, "stub", out, AUTO)
    if suffix == ".glb":
        assert np.allclose(read_mesh(out).vertices, IDENTITY.vertices, atol=1e-6), (
            "at rest it is the identity"
        )
        assert "left out" not in said
        command.run(out, npz, "stub", tmp_path / "again.glb", AUTO)
        assert "its own animations are left out" in capsys.readouterr().out


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path):
    for number in (10, 9, 1):
        write_mesh(tmp_path / f"f{number}.obj", Mesh(BALL.vertices + number, BALL.faces))
    found = read_motion(tmp_path, every=2)
    assert found.rate == 15 and np.allclose(found.frames[:, 0] - found.frames[0, 0], [[0] * 3, [9] * 3])


def test_a_sequence_of_dfaust_is_named(tmp_path):
    frames = np.random.default_rng(0).normal(size=(5, 6, 3)).astype(np.float32)
    faces = np.array([[0, 1, 2], [2, 3, 4], [4, 5, 0]])
    with h5py.File(tmp_path / "r.hdf5", "w") as file:
        file["faces"] = faces.astype(np.uint32)
        file["50002_hips"] = np.moveaxis(frames, 0, 2)
    found = read_motion(tmp_path / "r.hdf5")
    assert found.rate == 60 and np.array_equal(found.frames, frames)
    with pytest.raises(MeshError, match="no sequence '50002_knees'.*50002_hips"):
        read_motion(tmp_path / "r.hdf5", sequence="50002_knees")
    for other in (tmp_path, _npz(tmp_path)):
        with pytest.raises(MeshError, match=r"has no sequences to choose from \(hint: leave --sequence out"):
            read_motion(other, sequence="50002_hips")


def _npz(folder, **changes):
    np.savez(folder / "x.npz", **{"vertices": motion_frames(), "faces": FINE.faces} | changes)
    return folder / "x.npz"


def _text(path):
    path.write_text("vertices")
    return path


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda f: f, "has no mesh files"),
        (lambda f: f / "none.txt", "is no motion"),
        (lambda f: _text(f / "text.npz"), "is no .npz"),
        (lambda f: f / "gone.npz", "no such file"),
        (lambda f: _npz(f, vertices=motion_frames()[0]), "not \\(T, N, 3\\)"),
        (lambda f: _npz(f, vertices=motion_frames() * np.nan), "not finite"),
        (lambda f: _npz(f, faces=FINE.faces + 1), "names vertices"),
        (lambda f: _npz(f, rate=0.0), "0 frames a second.*--fps"),
    ],
)
def test_what_is_no_motion_is_one_line(tmp_path, make, what):
    with pytest.raises(ReposeError, match=what) as caught:
        read_motion(make(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.fixture
def scans(tmp_path):
    """Each frame of the motion with triangles of its own."""
    for number, vertices in enumerate(motion_frames()):
        mesh = decimated(vertices.astype(float), FINE.faces, 250 + 40 * number)
        (tmp_path / "scans").mkdir(exist_ok=True)
        write_mesh(tmp_path / "scans" / f"scan{number}.obj", Mesh(*mesh))
    return read_motion(tmp_path / "scans")


def test_scans_of_other_triangles_are_followed_where_the_match_is_wrong(scans, model):
    assert isinstance(scans, Scans) and len({len(mesh.vertices) for mesh in scans.meshes}) == len(TIMES)
    identity = Body.of(IDENTITY, UPRIGHT)
    done = follow(identity, scans, UPRIGHT, model)
    assert done.again > 2, "who is bent is matched wrongly"
    for frame, time in zip(done.frames, TIMES, strict=True):
        shape, truth = aligned(frame, bent(IDENTITY.vertices - [3, 0.9, 0], time))
        assert np.linalg.norm(shape - truth, axis=1).mean() < 0.08, "nearly round, and smoothed"
    leap = 0.5 * np.maximum(0, np.sin(2 * np.pi * TIMES)) * done.scale
    assert done.frames[:, :, 1].min(axis=1) == pytest.approx(leap, abs=0.01), "and leaps as high"


def test_scans_are_found_again_after_a_wrong_match(scans, model, monkeypatch):
    """Wrong in the first frame alone, from which all others are drawn on; the last is matched wrongly, too."""
    found, calls = follow_module.matches, []

    def first_wrong(*given):
        calls.append(1)
        (match,) = found(*given)
        return [replace(match, upright=match.upright[::-1])] if len(calls) == 1 else [match]

    monkeypatch.setattr(follow_module, "matches", first_wrong)
    identity = Body.of(IDENTITY, UPRIGHT)
    frames = follow(identity, scans, UPRIGHT, model, smooth_s=0).frames
    off = [
        np.linalg.norm(
            np.subtract(*aligned(frame, bent(IDENTITY.vertices - [3, 0.9, 0], time))), axis=1
        ).mean()
        for frame, time in zip(frames, TIMES, strict=True)
    ]
    assert off[0] > 0.2 and max(off[1:]) < 0.08


def test_the_command_says_that_it_follows_scans(scans, model, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command, "model_for", lambda path, *meshes: (model, None))
    write_mesh(tmp_path / "i.ply", IDENTITY)
    out, picture = tmp_path / "scanned.npz", tmp_path / "s.png"
    command.run(tmp_path / "i.ply", scans.path, "stub", out, AUTO, report=picture)
    said = capsys.readouterr().out
    assert "7 frames, 30 a second, of 251 to 490 vertices: scans of other triangles" in said
    assert "drawn on from a frame beside them, the others matched" in said
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert read_motion(out).frames.shape == (7, len(IDENTITY.vertices), 3)


def test_hidden_files_are_no_frames_and_no_result_becomes_one(tmp_path):
    write_mesh(tmp_path / "0.obj", IDENTITY)
    (tmp_path / "._0.obj").write_bytes(b"\0\5\26\7")  # as macOS adds in archives
    assert len(read_motion(tmp_path).frames) == 1
    with pytest.raises(MeshError, match="would be a frame of the motion"):
        command.run(tmp_path / "0.obj", tmp_path, tmp_path / "none", tmp_path / "x.glb", AUTO)


def test_a_suffix_that_nobody_writes_is_refused_first(tmp_path):
    with pytest.raises(MeshError, match="cannot write a motion as .obj.*a .glb"):
        command.run(tmp_path / "none.obj", tmp_path, "human", tmp_path / "o.obj", AUTO)
