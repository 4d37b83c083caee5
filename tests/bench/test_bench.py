"""Benchmarks run and compare equal work; no test asserts a time."""

import json

import pytest
from gih.meshes import sphere

import repose.bench.bodies
import repose.bench.gih
import repose.bench.store
from repose.errors import ReposeError
from repose.raw.open_human.template import is_closed_sphere

KEYS = {"name", "size", "plain", "ours", "ratio", "memory_ratio", "error"}


def test_both_sides_read_the_same_mesh(monkeypatch, capsys):
    compare = repose.bench.compare
    monkeypatch.setattr("repose.bench.obj.compare", lambda *a, **k: compare(*a, **{**k, "repeats": 1}))
    repose.bench.run("obj", as_json=True)
    result = json.loads(capsys.readouterr().out)
    assert result.keys() >= KEYS and result["error"] == 0
    assert result["plain"].keys() == result["ours"].keys() == {"seconds", "peak_mib"}


def test_both_sides_load_the_same_batch(monkeypatch, capsys):
    compare = repose.bench.compare
    monkeypatch.setattr("repose.bench.loader.compare", lambda *a, **k: compare(*a, repeats=1))
    repose.bench.run("loader", as_json=False)
    assert "times faster" in capsys.readouterr().out.replace("× faster", " times faster")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ReposeError, match=r"no benchmark 'lader' \(hint: there are gih, loader, obj, store"):
        repose.bench.run("lader", as_json=False)


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
