"""Benchmarks run and compare equal work; no test asserts a time."""

import contextlib
import io
import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from gih.meshes import sphere

import repose.bench
import repose.bench.bodies
import repose.bench.gih
import repose.bench.store
from repose.bench import corenet, loader, npr, poisson
from repose.errors import ReposeError
from repose.gih.solver import all_pairs
from repose.mesh.mesh import Mesh
from repose.synthetic.open_human.template import is_closed_sphere

KEYS = {"name", "size", "plain", "ours", "ratio", "memory_ratio", "error"}


@pytest.fixture
def one_process(monkeypatch):
    """Of the processes that each measure the memory of one piece of work, the first runs; the other work is done here.

    A process takes seconds to import what this one has.
    """
    run, started = subprocess.run, []

    def once(command, **options):
        if not started or command[:2] != [sys.executable, "-c"]:
            started.append(command)
            return run(command, **options)
        with contextlib.redirect_stdout(io.StringIO()) as said, monkeypatch.context() as patch:
            for module in (corenet, npr):
                patch.setattr(module, "memory_mib", {"VmRSS": 1.0, "VmHWM": 3.0}.__getitem__)
            exec(command[2], {})
        return subprocess.CompletedProcess(command, 0, said.getvalue())

    monkeypatch.setattr(subprocess, "run", once)
    return started


@pytest.fixture
def sides(monkeypatch):
    """What each side of a benchmark gives, whatever the benchmark itself says of their difference."""
    given, compare = [], repose.bench.compare

    def noted(name, size, plain, ours, error, repeats=1):
        given.append((plain(), ours()))
        return compare(name, size, plain, ours, error, repeats=1)

    for module in ("iepgan", "images", "loader", "obj", "poisson"):
        monkeypatch.setattr(f"repose.bench.{module}.compare", noted)
    return given


def test_both_sides_read_the_same_mesh(sides, capsys):
    repose.bench.run("obj", as_json=True)
    result = json.loads(capsys.readouterr().out)
    ((plain, ours),) = sides
    assert np.array_equal(plain.vertices, ours.vertices) and np.array_equal(plain.faces, ours.faces)
    assert len(ours.vertices) == 6890 and result["error"] == 0 and result.keys() >= KEYS
    assert result["plain"].keys() == result["ours"].keys() == {"seconds", "peak_mib"}


def test_a_side_that_reads_another_mesh_shows_in_the_error(monkeypatch, sides):
    from repose.bench import obj

    read = obj.read_mesh
    monkeypatch.setattr(obj, "read_mesh", lambda path: Mesh(read(path).vertices + 0.5, read(path).faces))
    assert obj.measure()["error"] == pytest.approx(0.5)
    monkeypatch.setattr(obj, "read_mesh", lambda path: Mesh(read(path).vertices, read(path).faces[::-1]))
    assert obj.measure()["error"] == np.inf


def test_both_sides_load_the_same_batch(monkeypatch, sides, capsys):
    sphere = loader.sphere
    monkeypatch.setattr(loader, "sphere", lambda: sphere(10, 12))
    repose.bench.run("loader", as_json=False)
    ((plain, ours),) = sides
    assert plain.shape == ours.shape == (loader.BATCH, 3, 122, 3) and np.array_equal(plain, ours)
    assert np.ptp(ours, axis=0).max() > 0.01, "the triples differ"
    assert "error 0" in capsys.readouterr().out


def test_an_unknown_name_lists_the_known_ones():
    known = ", ".join(sorted([*repose.bench.BENCHES, "gpu"]))
    with pytest.raises(ReposeError, match=rf"no benchmark 'lader' \(hint: there are {known}"):
        repose.bench.run("lader", as_json=False)


def test_the_dag_and_its_bare_twin_have_the_same_jobs(monkeypatch, capsys):
    for name, count in (("DATASETS", 2), ("METHODS", 2), ("SEEDS", 3)):
        monkeypatch.setattr(f"repose.bench.dag.{name}", count)
    repose.bench.run("dag", as_json=True)
    result = json.loads(capsys.readouterr().out)
    # A table, and for each dataset raw, convert, store, three splits, and three jobs a run.
    assert result["size"] == f"{1 + 2 * 6 + 3 * 2 * 2 * 3} jobs" and result["error"] == 0
    assert result.keys() >= KEYS and result["ours"]["cpu_seconds"] > 0


def test_both_sides_take_the_same_training_step(monkeypatch, capsys, one_process):
    widths = {"width": 16, "residual_blocks": 1, "refine_width": 16}
    measure = partial(corenet.measure, size=(10, 10), rounds=1, **widths)
    monkeypatch.setattr(corenet, "measure", measure)
    repose.bench.run("corenet", as_json=True)
    result = json.loads(capsys.readouterr().out)
    works = [result, *result["also"]]
    assert len(works) == len(corenet.TITLES) and all(one.keys() >= KEYS for one in works)
    for work, one in zip(corenet.TITLES, works, strict=True):
        steps = [corenet.Step(work, side, (10, 10), widths, torch.device("cpu")) for side in corenet.SIDES]
        for step in steps:
            step()
        plain, ours = (step.gradient() for step in steps)
        apart = float((ours - plain).norm() / plain.norm())
        assert (
            plain.norm() > 1e-3 and apart < 1e-3 and one["error"] == pytest.approx(apart, rel=0.1, abs=1e-6)
        )
    assert len(one_process) == 1


def test_half_precision_runs_on_both_sides(monkeypatch):
    monkeypatch.setattr(corenet, "_peak", lambda *work: 1.0)  # which is of float32
    widths = {"width": 16, "residual_blocks": 1, "refine_width": 16}
    result = corenet.compare_sides("mapconnet", (10, 10), 1, widths, torch.device("cpu"), "bfloat16")
    assert 0 < result["error"] < 2 and "bfloat16" in result["size"]


def test_a_step_of_iepgan_has_its_parts_and_both_sides_read_the_same_distances(
    monkeypatch, sides, one_process
):
    from repose.bench import iepgan

    monkeypatch.setattr(iepgan, "body", lambda vertices: sphere(2))
    result = iepgan.measure(patch_vertices=20, steps=1, meshes=100)
    ((plain, ours),) = sides
    assert plain.shape == ours.shape and ours.max() > 0.1 and np.abs(plain - ours).max() < 1e-3
    assert result.keys() >= KEYS and result["error"] == pytest.approx(np.abs(plain - ours).max())
    for target, step in result["steps"].items():
        parts = [step[name] for name in ("mesh_read", "gih_read", "gih", "networks")]
        assert step["step"] == pytest.approx(sum(parts)) and step["gih"] > 0
        assert (step["gih_read"] > 0) == (target == "full-block")
    assert result["stretch"]["factor_mib"] > 0 and result["peak_mib"].keys() == {20, 100}


@pytest.fixture
def small(monkeypatch):
    """Benchmarks of distances on a ball instead of a body."""
    for module in ("gih", "store"):
        monkeypatch.setattr(f"repose.bench.{module}.body", lambda vertices: sphere(3))


def test_both_solvers_find_the_same_distances(small):
    plain, ours = repose.bench.gih._loop(*sphere(3)), all_pairs(*sphere(3))
    apart = ~np.eye(len(ours), dtype=bool)
    assert ours[apart].min() > 0 and np.mean(np.abs(ours - plain)[apart] / plain[apart]) < 1e-3
    result = repose.bench.gih.measure(rounds=1)
    assert result.keys() >= KEYS | {"cpu_ratio", "threads", "peers"}
    assert result["error"] < 1e-3 and 0 < result["peers"]["ours"]["error"] < 0.03
    assert 0 < result["peers"]["fast marching"]["error"] < 0.1
    assert all(result["peers"][name]["cpu_seconds"] > 0 for name in ("fast marching", "exact"))


def test_the_store_gives_what_the_pickles_give(small):
    result = repose.bench.store.measure(rounds=1)
    assert result.keys() >= KEYS | {"regional", "mb_per_mesh", "max_error_mm"}
    assert result["mb_per_mesh"] < 1 and 0 < result["max_error_mm"] < 0.1
    assert result["error"] * 1e3 <= 1.1 * result["max_error_mm"]  # the largest body is 6 % larger


def test_a_dataset_end_to_end(small):
    result = repose.bench.gih.end_to_end(meshes=3)
    assert result["peak_mib"] > 50 and 0 < result["mb_per_mesh"] < 1


def test_bodies_are_closed_and_of_the_size_asked_for(monkeypatch):
    monkeypatch.setattr("repose.bench.bodies._finest", lambda: sphere(3))
    vertices, faces = repose.bench.bodies.body.__wrapped__(200)
    assert vertices.shape == (200, 3) and is_closed_sphere(faces, 200)


def test_both_sides_solve_the_same_poisson_equation(monkeypatch, sides):
    rest, faces = sphere(2)
    monkeypatch.setattr("repose.bench.poisson.body", lambda vertices: (rest, faces))
    result = poisson.measure(vertices=len(rest), repeats=1)
    solved = [pair for pair in sides if isinstance(pair[0], tuple)]
    assert len(solved) == 2, "as released, and without its transposes"
    for plain, ours in solved:
        for theirs, mine in zip(plain, ours, strict=True):  # vertices, and the gradient of the Jacobians
            assert theirs.shape == mine.shape and mine.abs().max() > 0.1
            assert (theirs - mine).abs().max() < 1e-4
    assert result.keys() >= KEYS and result["error"] < 1e-4


def test_both_sides_find_the_same_neighbours_and_a_step_is_measured(monkeypatch, capsys, one_process):
    widths = {"width": 8, "fine_width": 8, "middle": 40, "keypoints": 16, "attention": 8, "hidden": 8}
    monkeypatch.setattr("repose.bench.npr.body", lambda vertices: sphere(2))
    monkeypatch.setattr(npr, "measure", partial(npr.measure, repeats=1, **widths))
    repose.bench.run("npr", as_json=True)
    result = json.loads(capsys.readouterr().out)
    points = torch.rand(1, 60, 3, generator=torch.Generator().manual_seed(0))
    lengths = [
        (points[0, :, None] - points[0][npr.neighbours(side, points)[0]]).norm(dim=-1) for side in npr.SIDES
    ]
    assert lengths[0][:, 1:].min() > 0 and torch.allclose(*lengths, atol=1e-3)
    assert result.keys() >= KEYS and result["error"] < 1e-3
    assert all(result["steps"][anchors]["mib"] > 0 for anchors in ("posed", "rest"))


def test_stores_are_sealed_read_and_gathered_on_both_sides(tmp_path, capsys):
    from repose.bench import hash as hashing

    result = hashing.measure(1e-4, tmp_path, vertices=50)
    works = [result, *result["also"]]
    assert [work["error"] for work in works] == [0, 0, pytest.approx(0, abs=0.01)] and not any(
        tmp_path.iterdir()
    )
    for work in works:
        assert work.keys() >= KEYS | {"cpu_ratio"} and work["ours"]["cpu_seconds"] > 0
    repose.bench.show(result, as_json=False)
    out = capsys.readouterr().out
    assert all(what in out for what in ("hash all, to seal it", "read 10% of the meshes", "gather distances"))
