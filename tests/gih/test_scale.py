import contextlib
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from gih.meshes import broken, deadly, scaled, torus

from repose import cluster as clusters
from repose.cluster import Cluster, spread
from repose.errors import ReposeError
from repose.gih import scale, store
from repose.gih.convention import METRES, Settings
from repose.gih.reader import GihReader
from repose.gih.scale import compute_dataset
from repose.gih.solver import all_pairs


def dataset(n=6):
    return {f"m{i}": partial(scaled, 1 + i) for i in range(n)}


def mtimes(path):
    return {p.parent.name: p.stat().st_mtime_ns for p in path.glob("*/zarr.json")}


SBATCH = """#!/bin/sh
# Like Slurm's: keeps the script, runs it apart from the caller, and says the number of the job.
script=$(mktemp -p .) && cp "$1" "$script"
setsid bash "$script" >"$script.log" 2>&1 &
echo $! >>jobs
echo "Submitted batch job $!"
"""

SCANCEL = """#!/bin/sh
kill -- "-$1"
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """The two commands by which Dask talks to Slurm; jobs find what this process finds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.chdir(tmp_path)
    yield
    for job in (tmp_path / "jobs").read_text().split() if (tmp_path / "jobs").exists() else ():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(job), signal.SIGKILL)


def files(path):
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file() and p.name != ".lock"}


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    path = tmp_path_factory.mktemp("gih") / "s"
    compute_dataset(dataset() | {"ring": torus}, path)
    return files(path)


@pytest.mark.parametrize(
    "cluster",
    [Cluster(3), Cluster(2, "processes"), Cluster(1, "slurm"), "running"],
    ids=["threads", "processes", "slurm", "running"],
)
def test_every_mode_writes_the_same_bytes(tmp_path, cluster, slurm, one_by_one, monkeypatch):
    import distributed

    seen = []
    monkeypatch.setattr(scale.Meter, "to", lambda _, done, note: seen.append(done))
    meshes = dataset() | {"ring": torus}

    def compute(cluster):
        return compute_dataset(meshes, tmp_path / "s", cluster=cluster)

    if cluster == "running":
        with distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=None) as running:
            summary = compute(Cluster(1, running.scheduler_address))
    else:
        summary = compute(cluster)
    assert (summary.computed, summary.reused, summary.errors) == (7, 0, {})
    assert seen == list(range(1, 8))
    assert files(tmp_path / "s") == one_by_one


def test_every_mesh_is_named(tmp_path):
    compute_dataset(dataset(), tmp_path / "s")
    reader = GihReader(tmp_path / "s")
    assert reader.meshes == sorted(dataset())
    np.testing.assert_allclose(reader.row("m3", 5), all_pairs(*scaled(4))[5], atol=1e-3)


def test_no_slurm_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReposeError, match="no command sbatch here"):
        compute_dataset(dataset(1), tmp_path / "s", cluster=Cluster(1, "slurm"))


def test_a_mesh_that_ends_its_worker_is_one_clear_line(tmp_path):
    with pytest.raises(ReposeError, match="a task has ended its worker, most likely out of memory"):
        compute_dataset({"deadly": deadly}, tmp_path / "s", cluster=Cluster(1, "processes"))
    assert GihReader(tmp_path / "s").meshes == []


def listening(_):
    """Ports that the worker and the process that started it wait at."""
    processes = [psutil.Process(), psutil.Process().parent()]
    return [c.laddr for p in processes for c in p.net_connections() if c.status == psutil.CONN_LISTEN]


def test_processes_open_no_port():
    before = [c.laddr for c in psutil.Process().net_connections() if c.status == psutil.CONN_LISTEN]
    for _, found in spread(Cluster(2, "processes"), listening, range(3)):
        assert found == before


def sleeping(_):
    Path("worker").write_text(str(os.getpid()))
    time.sleep(600)


def test_workers_end_with_a_parent_that_was_killed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "from gih.test_scale import *\nlist(spread(Cluster(1, 'processes'), sleeping, [0]))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    parent = subprocess.Popen(
        [sys.executable, "-c", f"if __name__ == '__main__': exec({code!r})"], env=environment
    )
    for _ in range(600):
        if Path("worker").exists() and Path("worker").read_text():
            break
        time.sleep(0.1)
    worker = psutil.Process(int(Path("worker").read_text()))
    parent.kill()
    parent.wait()
    worker.wait(20)


def test_no_scheduler_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "CONNECT_TIMEOUT", "1s")
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


def test_meshes_take_turns_on_a_gpu(tmp_path, monkeypatch):
    """Several workers, one GPU: the bytes of one worker, and a bad mesh is named."""
    import torch

    from repose.gih import torch_backend

    there, on_host = [], torch_backend.all_pairs
    before = torch.are_deterministic_algorithms_enabled()  # a training of another test leaves them so

    def all_pairs(*args, device, **named):
        there.append(device)
        assert there == ["cuda"]
        found = on_host(*args, device="cpu", **named)
        there.pop()
        return found

    monkeypatch.setattr(torch_backend, "all_pairs", all_pairs)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for workers in (1, 4):
        with pytest.raises(ReposeError, match="^bad: vertex 0 is not finite"):
            meshes = {"bad": broken} | dataset()
            compute_dataset(meshes, tmp_path / str(workers), backend="cuda", cluster=Cluster(workers))
    assert files(tmp_path / "1") == files(tmp_path / "4")
    assert GihReader(tmp_path / "4").meshes == sorted(dataset())
    assert torch.are_deterministic_algorithms_enabled() == before


def test_a_bad_mesh_does_not_stop_the_others(tmp_path):
    with pytest.raises(ReposeError, match=r"^bad: vertex 0 is not finite .*; 1 more failed: worse$"):
        compute_dataset({"bad": broken} | dataset() | {"worse": broken}, tmp_path / "s")
    assert GihReader(tmp_path / "s").meshes == sorted(dataset())


def test_an_interrupted_run_resumes(tmp_path, monkeypatch):
    def stop(_, done, note):
        if done == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scale.Meter, "to", stop)
        compute_dataset(dataset(), tmp_path / "s")
    assert compute_dataset(dataset(), tmp_path / "s").reused >= 3


def test_scattered_runs_fill_one_store(tmp_path):
    everything = dataset()
    for part in (["m0", "m1"], ["m2", "m3", "m4"], ["m5"]):
        compute_dataset({name: everything[name] for name in part}, tmp_path / "s")
    assert GihReader(tmp_path / "s").meshes == sorted(everything)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"scheduler": "sge"}])
def test_cluster_settings_are_checked(wrong):
    with pytest.raises(ReposeError):
        Cluster(**wrong)


def test_a_store_of_other_settings_is_refused(tmp_path):
    store.create(tmp_path / "s", METRES)
    with pytest.raises(ReposeError, match="use another store"):
        compute_dataset(dataset(1), tmp_path / "s", Settings(t=1.0))


def test_progress_tells_how_far_and_how_fast(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("repose.progress.INTERVAL_S", 0)
    compute_dataset(dataset(), tmp_path / "s")
    said = capsys.readouterr().err
    assert "gih: 5/6" in said and "s left" in said and "meshes/s" in said
