from functools import partial

import numpy as np
import pytest
from gih.meshes import sphere, torus

from repose.errors import ReposeError
from repose.gih import scale, store
from repose.gih.reader import GihReader
from repose.gih.scale import Cluster, compute_dataset
from repose.gih.solver import METRES, Settings, all_pairs
from repose.progress import Meter


def scaled(factor):
    v, f = sphere(1)
    return v * factor, f


def broken():
    v, f = sphere(1)
    return v * np.nan, f


def dataset(n=6):
    return {f"m{i}": partial(scaled, 1 + i) for i in range(n)}


def mtimes(path):
    return {p.parent.name: p.stat().st_mtime_ns for p in path.glob("*/zarr.json")}


@pytest.mark.parametrize(
    "cluster", [Cluster(), Cluster(3), Cluster(1, "processes")], ids=["one", "threads", "dask"]
)
def test_every_mesh_is_computed_and_named(tmp_path, cluster):
    seen = []
    meshes = dataset() | {"ring": torus}
    summary = compute_dataset(
        meshes, tmp_path / "s", cluster=cluster, report=lambda s, o: seen.append((s.done, o.name))
    )
    assert (summary.computed, summary.reused, summary.errors) == (7, 0, {})
    assert [done for done, _ in seen] == list(range(1, 8))
    reader = GihReader(tmp_path / "s")
    assert reader.meshes == sorted(meshes)
    np.testing.assert_allclose(reader.row("m3", 5), all_pairs(*scaled(4))[5], atol=1e-3)


def test_a_running_scheduler_is_used(tmp_path):
    import distributed

    with distributed.LocalCluster(
        1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as running:
        cluster = Cluster(1, running.scheduler_address)
        assert compute_dataset(dataset(2), tmp_path / "s", cluster=cluster).computed == 2


def test_no_scheduler_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "CONNECT_TIMEOUT", "1s")
    with pytest.raises(ReposeError, match="no Dask scheduler answers"):
        compute_dataset(dataset(1), tmp_path / "s", cluster=Cluster(1, "tcp://127.0.0.1:9"))


def test_only_the_changed_mesh_is_recomputed(tmp_path):
    path, meshes = tmp_path / "s", dataset()
    compute_dataset(meshes, path)
    before = mtimes(path)
    assert compute_dataset(meshes, path).reused == 6
    assert mtimes(path) == before
    summary = compute_dataset(meshes | {"m2": partial(scaled, 9.0)}, path)
    assert (summary.computed, summary.reused) == (1, 5)
    after = mtimes(path)
    assert len(before.items() & after.items()) == len(before) - 1
    assert len(after) == len(before)


def test_a_bad_mesh_does_not_stop_the_others(tmp_path):
    with pytest.raises(ReposeError, match=r"^bad: vertex 0 is not finite .*1 more meshes failed"):
        compute_dataset({"bad": broken} | dataset() | {"worse": broken}, tmp_path / "s")
    assert GihReader(tmp_path / "s").meshes == sorted(dataset())


def test_an_interrupted_run_resumes(tmp_path):
    def stop(summary, _):
        if summary.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_dataset(dataset(), tmp_path / "s", report=stop)
    assert compute_dataset(dataset(), tmp_path / "s").reused >= 3


def test_scattered_runs_fill_one_store(tmp_path):
    everything = dataset()
    for part in (["m0", "m1"], ["m2", "m3", "m4"], ["m5"]):
        compute_dataset({name: everything[name] for name in part}, tmp_path / "s")
    assert GihReader(tmp_path / "s").meshes == sorted(everything)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"scheduler": "slurm"}])
def test_cluster_settings_are_checked(wrong):
    with pytest.raises(ReposeError):
        Cluster(**wrong)


def test_a_store_of_other_settings_is_refused(tmp_path):
    store.create(tmp_path / "s", METRES)
    with pytest.raises(ReposeError, match="use another store"):
        compute_dataset(dataset(1), tmp_path / "s", Settings(t=1.0))


def test_progress_tells_how_far_and_how_fast(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("repose.progress.INTERVAL_S", 0)
    with Meter("gih", 6) as meter:
        compute_dataset(dataset(), tmp_path / "s", report=scale.shown_on(meter))
    said = capsys.readouterr().err
    assert "gih: 5/6" in said and "s left" in said and "meshes/s" in said
