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
    assert "times faster" in capsys.readouterr().out.replace("× faster", " times faster")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ReposeError, match=r"no benchmark 'lader' \(hint: there are gih, iepgan, loader, obj, store"
    ):
        repose.bench.run("lader", as_json=False)


def test_a_step_of_iepgan_has_its_parts_and_both_sides_read_the_same_distances():
    from repose.bench.iepgan import measure

    result = measure(vertices=400, patch_vertices=40, steps=1)
    assert result.keys() >= KEYS and result["error"] < 1e-3
    step = result["step"]
    assert step["step"] == pytest.approx(sum(step.values()) - step["step"]) and step["gih_read"] > 0
