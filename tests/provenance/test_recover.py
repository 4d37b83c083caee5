import os
import signal
import socket
import subprocess
import sys
import textwrap

import psutil
import pytest

from repose.errors import ReposeError
from repose.provenance.manifest import Recorder
from repose.provenance.owner import is_held, mark, owners, remove_if_free, try_lock
from repose.provenance.publish import write_text
from repose.provenance.recover import clean, leftover_jobs, recover

# A scheduler as the workflow makes it, and one job that is at work on an artefact.
JOB = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from repose.provenance.manifest import Recorder
    from repose.provenance.publish import publish
    results = Path(sys.argv[1])
    Recorder("train", "", {}).own(results / "runs" / "model.manifest.json")
    with publish(results / "runs" / "model.bin") as private:
        private.write_text("half")
        print("at work", flush=True)
        time.sleep(600)
""")
SCHEDULER = textwrap.dedent("""
    import os, subprocess, sys
    from pathlib import Path
    from repose.config.environment import _note_scheduler
    results = Path(sys.argv[1])
    os.environ["REPOSE_CONFIG"] = str(results / ".config" / "0.yaml")
    _note_scheduler(results)
    job = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]])
    print(job.pid, flush=True)
    job.wait()
""")


@pytest.fixture
def run(tmp_path):
    """Start a scheduler with a job in a folder of results; both are gone after the test."""
    processes = []

    def start(name):
        results = tmp_path / name / "results"
        mark(results)
        command = [sys.executable, "-c", SCHEDULER, str(results), JOB]
        scheduler = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert scheduler.stdout
        lines = {scheduler.stdout.readline(), scheduler.stdout.readline()}
        (pid,) = (int(line) for line in lines if line.strip().isdigit())
        job = psutil.Process(pid)
        processes.extend([scheduler, job])
        return results, scheduler, job

    yield start
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass


def gone(job):
    return not job.is_running() or job.status() == psutil.STATUS_ZOMBIE


def test_leftover_jobs_of_a_killed_scheduler_are_ended_and_nothing_else(run):
    results, scheduler, job = run("mine")
    _, _, other_job = run("other")
    assert list(leftover_jobs(results)) == []
    with pytest.raises(ReposeError, match="a run is going on: process"):
        recover(results)
    assert job.is_running() and len(list((results / "runs").iterdir())) == 1

    scheduler.send_signal(signal.SIGKILL)
    scheduler.wait()
    assert job.is_running(), "jobs of a killed scheduler live on"
    done = recover(results)
    assert len(done.ended) == 1 and gone(job)
    assert other_job.is_running(), "a job of another folder was ended"
    assert len(done.removed) == 1 and list((results / "runs").iterdir()) == []
    assert list((results / ".state" / "owners").iterdir()) == []


def test_a_job_that_does_not_listen_is_killed(run, monkeypatch):
    results, scheduler, job = run("mine")
    monkeypatch.setattr("repose.provenance.recover.PATIENCE", 0.5)
    monkeypatch.setattr(psutil.Process, "terminate", lambda process: None)
    scheduler.kill()
    scheduler.wait()
    recover(results)
    assert gone(job)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Commands `squeue` and `scancel` on a file of jobs `number|comment|folder`."""
    jobs = tmp_path / "queue"
    commands = {"squeue": 'cat "$QUEUE"', "scancel": 'for job; do sed -i "/^$job|/d" "$QUEUE"; done'}
    for name, line in commands.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("QUEUE", str(jobs))
    return jobs


def test_slurm_jobs_of_the_folder_are_cancelled_and_no_others(tmp_path, queue):
    mine, other = tmp_path / "mine", tmp_path / "other"
    mark(mine / "results")
    stays = f"2|(null)|{mine}\n3|rule_train_wildcards_a|{other}\n"
    queue.write_text(f"1|rule_train_wildcards_a|b|{mine}\n{stays}4|rule_score|{mine}\n")
    done = recover(mine / "results")
    assert done.ended == ["Slurm job 1, rule_train_wildcards_a|b", "Slurm job 4, rule_score"]
    assert queue.read_text() == stays


def test_a_slurm_job_that_does_not_end_is_an_error(tmp_path, queue, monkeypatch):
    mark(tmp_path / "results")
    (tmp_path / "bin" / "scancel").write_text("#!/bin/sh\n")
    queue.write_text(f"1|rule_train|{tmp_path}\n")
    monkeypatch.setattr("repose.provenance.slurm.PATIENCE", 0)
    with pytest.raises(ReposeError, match="Slurm job 1 does not end"):
        recover(tmp_path / "results")


def test_private_files_of_other_machines_and_living_writers_stay(tmp_path):
    mark(tmp_path)
    host = os.uname().nodename
    names = {
        "dead": f".a.csv.{host}.4194000.0123abcd.tmp",
        "old": f".b.zarr.{host}.4194000.0123abcd.tmp.old",
        "living": f".c.csv.{host}.{os.getpid()}.0123abcd.tmp",
        "foreign": ".d.csv.node.cluster.17.0123abcd.tmp",
    }
    for name in names.values():
        (tmp_path / name).touch()
    done = recover(tmp_path)
    assert sorted(p.name for p in done.removed) == sorted([names["dead"], names["old"]])
    assert [p.name for p in done.foreign] == [names["foreign"]]
    assert (tmp_path / names["living"]).exists() and (tmp_path / names["foreign"]).exists()


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    with pytest.raises(ReposeError, match="no folder of results"):
        recover(tmp_path)


def test_a_link_under_the_name_of_a_private_file_goes_and_what_it_leads_to_stays(tmp_path):
    results, other = tmp_path / "results", tmp_path / "other"
    mark(results)
    write_text(other / "x", "mine")
    (results / f".x.{socket.gethostname()}.{'9' * 20}.deadbeef.tmp").symlink_to(other)
    (results / ".cache").symlink_to(other)
    assert len(recover(results).removed) == 1
    clean(results, checkpoints=True)
    assert (other / "x").read_text() == "mine"


def test_clean_leaves_a_folder_that_is_not_ours_alone(tmp_path):
    """A home has `.config`, `.cache` and `.state` too, of other programs."""
    mine = [
        tmp_path / ".config" / "x",
        tmp_path / ".cache" / "x",
        tmp_path / ".state" / "other-program" / "x",
    ]
    for file in mine:
        write_text(file, "mine")
    with pytest.raises(ReposeError, match="no folder of results"):
        clean(tmp_path, checkpoints=True)
    assert all(file.read_text() == "mine" for file in mine)
    Recorder("store", "", {}).own(tmp_path / "x.manifest.json")
    assert {p.name for p in tmp_path.iterdir()} == {".config", ".cache", ".state"}
    assert [p.name for p in (tmp_path / ".state").iterdir()] == ["other-program"]


def test_clean_sets_free_what_is_no_longer_in_its_place(tmp_path):
    mark(tmp_path)
    out, manifest = tmp_path / "x.bin", tmp_path / "x.manifest.json"
    for size in (1000, 2000):
        recorder = Recorder("store", "", {"size": size})
        assert not recorder.reuse(manifest, keep=2)
        write_text(out, "x" * size)
        recorder.seal(manifest, [out])
    (tmp_path / ".state" / "0123").mkdir(parents=True)
    (tmp_path / ".state" / "0123" / "last.ckpt").write_text("checkpoint")
    freed = clean(tmp_path, checkpoints=False)
    assert 1000 <= freed < 3000, "the first file and its manifests; the second is in its place"
    assert not (tmp_path / ".cache").exists() and (tmp_path / ".state" / "0123").exists()
    assert clean(tmp_path, checkpoints=True) == len("checkpoint")
    assert not (tmp_path / ".state" / "0123").exists() and out.stat().st_size == 2000


def test_to_ask_who_holds_what_nobody_holds_leaves_no_file(tmp_path):
    path = owners(tmp_path) / "x"
    assert not is_held(path) and remove_if_free(path) and not path.exists()


def test_the_file_of_a_writer_is_not_removed_under_it(tmp_path):
    path = tmp_path / "x"
    with path.open("a+") as handle:
        assert try_lock(handle)
        assert is_held(path) and not remove_if_free(path) and path.exists()
    assert remove_if_free(path) and not path.exists()
