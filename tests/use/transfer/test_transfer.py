"""Transfer between user meshes: order, faces and frame of the identity, whatever frames the files have."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from safetensors.torch import save_file

from repose.cli import main
from repose.errors import ReposeError
from repose.mesh.formats.io import read_mesh, write_mesh
from repose.mesh.frame import UNITS, UPRIGHT
from repose.mesh.mesh import Mesh
from repose.methods.build import create
from repose.use.transfer.command import run
from repose.use.transfer.files import Said
from repose.weights.model import METADATA, open_model
from tests.methods.helpers import enliven

AUTO = Said(), Said()


def egg(subdivisions, sides, seed):
    ball = trimesh.creation.icosphere(subdivisions)
    order = np.random.default_rng(seed).permutation(len(ball.vertices))
    return Mesh((ball.vertices * sides)[order], np.argsort(order)[ball.faces])


IDENTITY = egg(2, (0.3, 0.85, 0.2), 0)  # 162 vertices
POSE = egg(3, (0.45, 0.8, 0.25), 1)  # 642 vertices


@pytest.fixture
def model(tmp_path):
    def make(architecture="npt", name="model", **settings):
        settings = {
            "npt": {"width": 16},
            "corenet": {"width": 16, "refine_width": 16, "residual_blocks": 1},
            "npr": {"width": 8, "fine_width": 8, "middle": 40, "keypoints": 16, "attention": 8, "hidden": 8},
        }[architecture] | settings
        torch.manual_seed(0)
        network = enliven(create(architecture, **settings))
        path = tmp_path / f"{name}.safetensors"
        text = json.dumps({"architecture": architecture} | settings)
        save_file(
            {k: v.contiguous() for k, v in network.state_dict().items()}, path, metadata={METADATA: text}
        )
        return path

    return make


def write(path, mesh, up="y", unit="m"):
    """Write an upright mesh in metres as a file of another frame."""
    write_mesh(path, Mesh(mesh.vertices @ np.array(UPRIGHT[up], float) / UNITS[unit], mesh.faces))
    return path


@pytest.mark.parametrize("architecture", ["npt", "corenet"])
@pytest.mark.parametrize(
    ("up", "unit", "suffix"), [("z", "cm", ".ply"), ("y", "mm", ".off"), ("z", "m", ".obj")]
)
def test_the_result_is_the_same_whatever_frames_the_files_have(
    model, tmp_path, architecture, up, unit, suffix
):
    weights = model(architecture)
    plain = write(tmp_path / "i.obj", IDENTITY), write(tmp_path / "p.obj", POSE)
    run(*plain, weights, tmp_path / "plain.obj", AUTO)
    expected = read_mesh(tmp_path / "plain.obj")
    assert np.array_equal(expected.faces, IDENTITY.faces)
    assert not np.allclose(expected.vertices, IDENTITY.vertices, atol=0.05), "the network does nothing"
    other = write(tmp_path / f"i2{suffix}", IDENTITY, up, unit), write(tmp_path / "p2.glb", POSE)
    run(*other, weights, tmp_path / f"o{suffix}", AUTO)
    out = read_mesh(tmp_path / f"o{suffix}")
    assert np.array_equal(out.faces, IDENTITY.faces)
    upright = out.vertices @ np.array(UPRIGHT[up], float).T * UNITS[unit]
    assert np.allclose(upright, expected.vertices, atol=2e-4)


def test_the_result_is_about_the_middle_of_the_identity_and_strays_stay(model, tmp_path):
    weights = model()
    moved = IDENTITY.vertices + np.array([3, 5, -2])
    stray = np.array([[0.0, 9.0, 0.0]])
    mesh = Mesh(np.r_[moved[:10], stray, moved[10:]], IDENTITY.faces + (IDENTITY.faces >= 10))
    write(tmp_path / "i.obj", IDENTITY), write(tmp_path / "m.obj", mesh), write(tmp_path / "p.obj", POSE)
    run(tmp_path / "i.obj", tmp_path / "p.obj", weights, tmp_path / "a.obj", AUTO)
    run(tmp_path / "m.obj", tmp_path / "p.obj", weights, tmp_path / "b.obj", AUTO)
    a, b = read_mesh(tmp_path / "a.obj").vertices, read_mesh(tmp_path / "b.obj").vertices
    assert np.array_equal(b[10], stray[0])
    assert np.allclose(np.delete(b, 10, axis=0), a + np.array([3, 5, -2]), atol=1e-4)
    assert np.allclose((a.max(axis=0) + a.min(axis=0)) / 2, 0, atol=1e-6)


def test_what_was_found_is_said_and_options_overrule_it(model, tmp_path, capsys):
    lying = Mesh(IDENTITY.vertices[:, [0, 2, 1]] * [1, -1, 1], IDENTITY.faces)
    write(tmp_path / "i.obj", lying), write(tmp_path / "p.obj", POSE, "y", "cm")
    run(tmp_path / "i.obj", tmp_path / "p.obj", model(), tmp_path / "a.obj", AUTO)
    printed = capsys.readouterr().out
    assert "up axis z (a guess: it is 4.2 times as long along z" in printed and "one that lies" in printed
    assert "unit cm (sure: its longest side is then 1.60 m)" in printed
    run(tmp_path / "i.obj", tmp_path / "p.obj", model(), tmp_path / "b.obj", (Said("y"), Said(unit="0.02")))
    printed = capsys.readouterr().out
    assert "up axis y (given: --up)" in printed and "unit 0.02 (given: --unit)" in printed
    a, b = read_mesh(tmp_path / "a.obj").vertices, read_mesh(tmp_path / "b.obj").vertices
    assert not np.allclose(a, b, atol=0.01)


def test_the_report_is_a_picture_of_three_bodies(model, tmp_path):
    write(tmp_path / "i.obj", IDENTITY), write(tmp_path / "p.obj", POSE, "z", "mm")
    run(tmp_path / "i.obj", tmp_path / "p.obj", model(), tmp_path / "o.obj", AUTO, tmp_path / "r.png")
    pixels = np.asarray(Image.open(tmp_path / "r.png").convert("L"))
    # Three columns and two rows right of the row titles: each cell has something drawn in it.
    cells = [
        part for row in np.array_split(pixels[30:], 2) for part in np.array_split(row[:, 80:], 3, axis=1)
    ]
    assert all((cell < 200).mean() > 0.03 for cell in cells)


@pytest.mark.parametrize("finish", ["arap", "icp", "rotations"])
@pytest.mark.parametrize("architecture", ["npt", "corenet"])
def test_a_finished_result_has_the_parts_of_the_identity(model, tmp_path, architecture, finish):
    files = write(tmp_path / "a.obj", IDENTITY), write(tmp_path / "b.obj", POSE)
    outs = {name: tmp_path / f"{name}.obj" for name in ("none", finish)}
    for name, out in outs.items():
        run(*files, model(architecture), out, AUTO, finish=name)
    plain, whole = (relative_stretch(read_mesh(out)) for out in outs.values())
    assert whole < 0.5 * plain, "an untrained network crumples it"


@pytest.mark.parametrize("architecture", ["npt", "corenet"])
def test_a_network_that_sees_unit_areas_takes_bodies_of_any_size(model, tmp_path, architecture):
    weights, said = model(architecture, unit_area=True), (Said("y", "m"), Said("y", "m"))
    found = {}
    for name, identity, pose in (("plain", 1, 1), ("large", 1.5, 1), ("large pose", 1, 1.5)):
        files = (tmp_path / f"{name}-{part}.obj" for part in ("i", "p"))
        sizes = (Mesh(m.vertices * k, m.faces) for m, k in ((IDENTITY, identity), (POSE, pose)))
        files = [write(file, mesh) for file, mesh in zip(files, sizes, strict=True)]
        run(*files, weights, tmp_path / f"{name}.obj", said)
        found[name] = read_mesh(tmp_path / f"{name}.obj").vertices
    assert found["large"] == pytest.approx(1.5 * found["plain"], abs=1e-4)
    assert found["large pose"] == pytest.approx(found["plain"], abs=1e-4)
    assert not np.allclose(found["plain"], IDENTITY.vertices, atol=0.05), "the network does nothing"


def relative_stretch(mesh):
    """Mean of | length / length in the identity - 1 |."""
    edges = mesh.faces[:, :2]
    now, before = (
        np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (mesh.vertices, IDENTITY.vertices)
    )
    return np.abs(now / before - 1).mean()


def test_bodies_known_at_rest_may_have_any_topology(model, tmp_path):
    write(tmp_path / "i.obj", IDENTITY), write(tmp_path / "rest.obj", POSE)
    bent = Mesh(POSE.vertices * [1, 1, 1] + 0.3 * POSE.vertices[:, [1, 0, 0]] ** 2 * [1, 0, 0], POSE.faces)
    write(tmp_path / "p.obj", bent, "z", "cm")
    write(tmp_path / "rest-z.obj", POSE, "z", "cm")
    said = Said("y", "m"), Said("z", "cm")
    files = tmp_path / "i.obj", tmp_path / "p.obj", model("npr"), tmp_path / "o.obj"
    run(*files, said, pose_rest=tmp_path / "rest-z.obj")
    out = read_mesh(tmp_path / "o.obj")
    assert np.array_equal(out.faces, IDENTITY.faces) and not np.allclose(
        out.vertices, IDENTITY.vertices, atol=0.05
    )
    with pytest.raises(ReposeError, match="must see the body of the pose mesh at rest"):
        run(*files, said)
    with pytest.raises(ReposeError, match="have other faces"):
        run(*files, said, pose_rest=tmp_path / "i.obj")
    with pytest.raises(ReposeError, match="takes no body at rest"):
        run(*files[:2], model("npt"), files[3], said, pose_rest=tmp_path / "rest-z.obj")


def command(tmp_path, *arguments):
    """The words of a command."""
    paths = (
        str(tmp_path / "i.obj"),
        str(tmp_path / "p.obj"),
        "--out",
        str(tmp_path / "o.obj"),
    )
    return ["repose", "transfer", *paths, *arguments]


def test_the_command_and_its_one_line_errors(model, tmp_path, monkeypatch, capsys):
    weights = str(model("npt", pooling="none"))
    write(tmp_path / "i.obj", IDENTITY), write(tmp_path / "p.obj", POSE)
    monkeypatch.setattr(sys, "argv", command(tmp_path, "--model", weights))
    with pytest.raises(SystemExit) as unequal:
        main()
    says = capsys.readouterr().err
    assert unequal.value.code == 1 and says.count("\n") == 1
    assert "needs equal vertex counts, got 162 and 642" in says and not (tmp_path / "o.obj").exists()
    write(tmp_path / "p.obj", egg(2, (0.4, 0.9, 0.3), 2))
    words = command(tmp_path, "--model", weights, "--report", str(tmp_path / "r.png"))
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.obj").exists() and (tmp_path / "r.png").exists()


BROKEN = {
    "empty": ("", "the mesh has no vertices"),
    "no faces": ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", "the mesh has no faces"),
    "one place": ("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "all its vertices are at one place"),
    "not finite": ("v 0 0 0\nv nan 0 0\nv 0 1.7 0\nf 1 2 3\n", "i.obj"),
    "flat": ("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nf 1 2 3\nf 2 4 3\n", "4 vertices in its faces, and flat"),
    "no unit": ("v 0 0 0\nv 1 0 0\nv 0 9 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\n", "makes no body"),
    "missing": (None, "no such file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_meshes_are_named_and_nothing_is_written(model, tmp_path, case):
    content, says = BROKEN[case]
    if content is not None:
        (tmp_path / "i.obj").write_text(content)
    write(tmp_path / "p.obj", POSE)
    with pytest.raises(ReposeError, match=r"i\.obj") as error:
        run(tmp_path / "i.obj", tmp_path / "p.obj", model(), tmp_path / "o.obj", AUTO)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "o.obj").exists()


def test_no_model_and_wrong_models_are_refused(model, tmp_path):
    for path, says in (
        (tmp_path / "none", "no such model"),
        (tmp_path, "no model.safetensors in this folder"),
        (write(tmp_path / "x.obj", POSE), "not a safetensors file .*import-weights"),
    ):
        with pytest.raises(ReposeError, match=says):
            open_model(path)
    weights = model()
    save_file({"x": torch.zeros(2)}, tmp_path / "bare.safetensors")
    with pytest.raises(ReposeError, match=r"holds no settings, and no run\.json"):
        open_model(tmp_path / "bare.safetensors")
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ReposeError, match="not a safetensors file|not a whole"):
        open_model(weights)
    for text in (
        '{"architecture": "os"}',
        '{"architecture": "npt", "width": 8}',
        '{"architecture": "npt", "x": 1}',
        "[]",
        "{",
    ):
        save_file({"x": torch.zeros(2)}, tmp_path / "bad.safetensors", metadata={METADATA: text})
        with pytest.raises(ReposeError, match=r"bad\.safetensors: (its settings|weights do not fit)"):
            open_model(tmp_path / "bad.safetensors")
