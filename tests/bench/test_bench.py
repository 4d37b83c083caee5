"""Benchmarks run and compare equal work; no test asserts a time."""

import json

import pytest

import repose.bench
from repose.errors import ReposeError

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
    shown = capsys.readouterr().out
    assert "× faster" in shown or "× slower" in shown


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ReposeError, match=r"no benchmark 'lader' \(hint: there are dag, gih, loader, obj, store"
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
