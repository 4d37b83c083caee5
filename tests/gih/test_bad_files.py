"""The issue's list of bad input once more, as a user meets it: files, and the command line."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from gih.meshes import grid, join, sphere, torus

import repose.cli
from repose.gih.reader import GihReader
from repose.gih.solver import all_pairs

V, F = sphere(1)


def obj(vertices, faces):
    lines = [f"v {x:.17g} {y:.17g} {z:.17g}" for x, y, z in np.asarray(vertices).tolist()]
    lines += ["f " + " ".join(str(i + 1) for i in face) for face in np.asarray(faces).tolist()]
    return "\n".join(lines) + "\n"


def with_face(*face):
    return V, np.concatenate([F, [face]])


def flat_face(height):
    """A vertex on an edge of face 0, and a face of (almost) no area beside it."""
    a, b, c = F[0]
    middle = (V[a] + V[b]) / 2 + height * V[c]
    faces = [[a, len(V), c], [len(V), b, c], [a, b, len(V)]]
    return np.concatenate([V, [middle]]), np.concatenate([F[1:], faces])


def flipped():
    faces = F.copy()
    faces[5] = faces[5][::-1]
    return V, faces


BOWTIE = [[0, 0, 0], [1, 0.5, 0], [1, -0.5, 0], [-1, 0.5, 0], [-1, -0.5, 0]]

SOUND = {
    "two components": (join((V, F), torus()), slice(0, 42)),
    "unreferenced vertex": ((np.concatenate([V, [[9, 9, 9]]]), F), slice(0, 42)),
    "unreferenced first vertex": ((np.concatenate([[[9, 9, 9]], V]), F + 1), slice(1, 43)),
    "unwelded seam": (join((V, F), (V, F)), slice(0, 42)),
    "zero-area face": (flat_face(0.0), slice(0, 42)),
    "sliver": (flat_face(1e-9), slice(0, 42)),
    "duplicate face": (with_face(*F[7]), slice(0, 42)),
    "non-manifold edge": (with_face(F[0, 0], F[0, 1], 8), slice(0, 0)),
    "bowtie": ((BOWTIE, [[0, 2, 1], [0, 3, 4]]), slice(0, 0)),
    "flipped face": (flipped(), slice(0, 42)),
    "one triangle": ((np.eye(3), [[0, 1, 2]]), slice(0, 0)),
}

BROKEN = {
    "repeated index": (obj(*with_face(3, 3, 9)), "face 80 names one vertex twice"),
    "nan": (obj(V, F).replace(obj(V[:1], []), "v nan 0 0\n"), "m.obj:1: 'nan' is not a finite number"),
    "out of range": (obj(*with_face(1, 2, 42)), "names vertex 43, but there are 42"),
    "negative": (obj(V, F) + "f -1 -2 -43\n", "vertex"),
    "zero index": (obj(V, F) + "f 0 1 2\n", "vertex"),
    "empty": ("", "the mesh has no vertices"),
    "no faces": (obj(V, []), "no faces"),
    "one point": (obj(np.zeros((3, 3)), [[0, 1, 2]]), "all vertices lie in one point"),
}


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run `repose gih …` in a folder of its own: status, what it said, what it complained about."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["repose", "gih", *map(str, arguments)])
        status = 0
        try:
            repose.cli.main()
        except SystemExit as end:
            status = end.code or 0
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.mark.parametrize("name", SOUND)
def test_odd_meshes_get_right_distances(command, name):
    mesh, ball = SOUND[name]
    Path("m.obj").write_text(obj(*mesh))
    status, said, _ = command("compute", "m.obj", "-o", "s.zarr")
    assert status == 0 and "1 computed" in said
    count = len(mesh[0])
    matrix = GihReader("s.zarr").rows("m", range(count))
    reached = np.isfinite(matrix)
    assert not np.isnan(matrix).any() and (matrix == matrix.T).all() and not np.diag(matrix).any()
    part = matrix[ball, ball]
    np.testing.assert_allclose(part, all_pairs(V, F)[: len(part), : len(part)], atol=0.15)
    alone = {
        "two components": 42,
        "unreferenced vertex": 42,
        "unreferenced first vertex": 1,
        "unwelded seam": 42,
    }
    edge = alone.get(name, count)
    assert reached[:edge, :edge].all() and reached[edge:, edge:].all()
    assert not reached[:edge, edge:].any()
    assert command("query", "s.zarr", "--mesh", "m.obj", "--from", 0, "--png", "m.png")[0] == 0
    assert Path("m.png").stat().st_size > 5000


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_one_clear_line(command, name):
    text, message = BROKEN[name]
    Path("m.obj").write_text(text)
    Path("ball.obj").write_text(obj(V, F))
    status, _, complaint = command("compute", "m.obj", "ball.obj", "-o", "s.zarr")
    lines = [line for line in complaint.splitlines() if line.startswith("repose: error: ")]
    assert status == 1 and len(lines) == 1 and message in lines[0]
    assert "Traceback" not in complaint
    assert GihReader("s.zarr").meshes == ["ball"]  # the others are there


@pytest.fixture
def ball(command):
    Path("ball.obj").write_text(obj(*sphere(2)))
    assert command("compute", "ball.obj", "-o", "s.zarr")[0] == 0
    return Path("s.zarr")


def one_line(result, message):
    status, _, complaint = result
    assert status == 1 and complaint.startswith("repose: error: ") and complaint.count("\n") == 1
    assert message in complaint


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_shard_is_one_clear_line(command, ball, damage):
    shard = next(ball.glob("*/c/0/0"))
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content if damage == "flip" else content[:200])
    one_line(command("info", ball, "--verify"), "the shard is damaged")
    one_line(command("query", ball, "--mesh", "ball", "--from", 1), "the shard is damaged")


def test_a_newer_store_is_one_clear_line(command, ball, monkeypatch):
    monkeypatch.setattr("repose.gih.layout.FORMAT", 0)
    one_line(command("info", ball), "update repose")
    one_line(command("compute", "ball.obj", "-o", ball), "update repose")


def test_a_killed_run_goes_on_where_it_was(command):
    files = [f"m{i}.obj" for i in range(40)]
    for i, name in enumerate(files):
        v, f = sphere(2)
        Path(name).write_text(obj(v * (1 + i), f))
    arguments = [sys.executable, "-m", "repose", "gih", "compute", *files, "-o", "s.zarr"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(Path().glob("s.zarr/[0-9a-f]*/c/0/0")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    status, said, _ = command("compute", *files, "-o", "s.zarr")
    computed, reused = (
        int(part.split()[-1]) for part in said.split(": ")[1].split(" up to")[0].split(" computed,")
    )
    assert status == 0 and computed + reused == 40 and reused >= 1
    assert command("info", "s.zarr", "--verify")[0] == 0
    expected = all_pairs(*sphere(2)) * 7
    np.testing.assert_allclose(GihReader("s.zarr").rows("m6", range(162)), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_one_clear_line_and_leaves_the_store(command, ball, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("no mounts here")
    try:
        assert command("compute", "ball.obj", "-o", disk / "s.zarr")[0] == 0
        Path("large.obj").write_text(obj(*grid(28, 28)))
        status, _, complaint = command("compute", "large.obj", "-o", disk / "s.zarr")
        assert status == 1 and "No space left on device (hint: free space" in complaint
        assert "Traceback" not in complaint
        assert GihReader(disk / "s.zarr").meshes == ["ball"]
        assert command("info", disk / "s.zarr", "--verify")[0] == 0
        assert not list((disk / "s.zarr").glob(".*.tmp"))
    finally:
        subprocess.run(["umount", disk], check=True)
