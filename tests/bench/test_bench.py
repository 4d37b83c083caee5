"""Benchmarks run and compare equal work; no test asserts a time."""

import contextlib
import io
import json
import subprocess
import sys
from functools import partial

import pytest
import torch
from gih.meshes import sphere

import repose.bench
import repose.bench.bodies
import repose.bench.gih
import repose.bench.store
from repose.bench import corenet, loader, npr, poisson
from repose.errors import ReposeError
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


def test_both_sides_read_the_same_mesh(monkeypatch, capsys):
    compare = repose.bench.compare
    monkeypatch.setattr("repose.bench.obj.compare", lambda *a, **k: compare(*a, **{**k, "repeats": 1}))
    repose.bench.run("obj", as_json=True)
    result = json.loads(capsys.readouterr().out)
    assert result.keys() >= KEYS and result["error"] == 0
    assert result["plain"].keys() == result["ours"].keys() == {"seconds", "peak_mib"}


def test_both_sides_load_the_same_batch(monkeypatch, capsys):
    compare, sphere = repose.bench.compare, loader.sphere
    monkeypatch.setattr(loader, "compare", lambda *a, **k: compare(*a, repeats=1))
    monkeypatch.setattr(loader, "sphere", lambda: sphere(10, 12))
    repose.bench.run("loader", as_json=False)
    shown = capsys.readouterr().out
    assert "× faster" in shown or "× slower" in shown


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ReposeError, match=rf"no benchmark 'lader' \(hint: there are {', '.join(repose.bench.BENCHES)}"
    ):
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
    assert [len(r.keys() & KEYS) for r in (result, *result["also"])] == [len(KEYS)] * (
        1 + len(result["also"])
    )
    for one in (result, *result["also"]):
        assert 0 < one["error"] < 1e-3 and one["ours"]["peak_mib"] > 0 < one["plain"]["peak_mib"]
    assert len(one_process) == 1


def test_half_precision_runs_on_both_sides(monkeypatch):
    monkeypatch.setattr(corenet, "_peak", lambda *work: 1.0)  # which is of float32
    widths = {"width": 16, "residual_blocks": 1, "refine_width": 16}
    result = corenet.compare_sides("mapconnet", (10, 10), 1, widths, torch.device("cpu"), "bfloat16")
    assert 0 < result["error"] < 2 and "bfloat16" in result["size"]


def test_a_step_of_iepgan_has_its_parts_and_both_sides_read_the_same_distances(monkeypatch, one_process):
    from repose.bench import iepgan

    monkeypatch.setattr(iepgan, "body", lambda vertices: sphere(3))
    result = iepgan.measure(patch_vertices=40, steps=1, meshes=100)
    assert result.keys() >= KEYS and result["error"] < 1e-3
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
    result = repose.bench.gih.measure(rounds=1)
    assert result.keys() >= KEYS | {"cpu_ratio", "threads", "exact_error"}
    assert result["error"] < 1e-3 and 0 < result["exact_error"] < 0.03


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


def test_both_sides_solve_the_same_poisson_equation(monkeypatch, capsys):
    rest, faces = sphere(2)
    monkeypatch.setattr("repose.bench.poisson.body", lambda vertices: (rest, faces))
    monkeypatch.setattr(poisson, "measure", partial(poisson.measure, vertices=len(rest), repeats=1))
    repose.bench.run("poisson", as_json=True)
    result = json.loads(capsys.readouterr().out)
    assert result.keys() >= KEYS and result["error"] < 1e-4


def test_both_sides_find_the_same_neighbours_and_a_step_is_measured(monkeypatch, capsys, one_process):
    widths = {"width": 8, "fine_width": 8, "middle": 40, "keypoints": 16, "attention": 8, "hidden": 8}
    monkeypatch.setattr("repose.bench.npr.body", lambda vertices: sphere(2))
    monkeypatch.setattr(npr, "measure", partial(npr.measure, repeats=1, **widths))
    repose.bench.run("npr", as_json=True)
    result = json.loads(capsys.readouterr().out)
    assert result.keys() >= KEYS and result["error"] < 1e-3
    assert all(result["steps"][anchors]["mib"] > 0 for anchors in ("posed", "rest"))
