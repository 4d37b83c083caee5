"""The workflow on a real Slurm cluster: `make test-slurm`, which starts one first (see cluster.sh)."""

import itertools
import os
import re
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import Project

from repose.provenance.manifest import load

COSTS = ["train_seconds", "peak_memory_mib"]
# Long enough to be interrupted, short enough to wait for; a checkpoint every 20 steps.
LONG = """
methods:
  npt: {training: {steps: 1200, validate_every: 20}}
tables:
  table1: {methods: [npt], seeds: [0], more_seeds: {}}
"""


@pytest.fixture(scope="session", autouse=True)
def cluster():
    state = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, check=False)
    assert state.stdout.strip() in {"idle", "mix", "alloc"}, "no Slurm here: run tests/slurm/cluster.sh up"


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """The table at smoke size, every job through Slurm, trainings asking for the node's one GPU."""
    project = Project(tmp_path_factory.mktemp("slurm"))
    project.run(*command("--set-resources", "train:gpu=1"))
    return project


def command(*options: str, target: str = "results/table1.csv", presets: tuple[str, ...] = ()) -> list[str]:
    """What a user types, with the smoke preset; the profile's pauses shortened."""
    return [
        *("snakemake", "--profile", "slurm", "--slurm-init-seconds-before-status-checks", "5", *options),
        *("--configfile", "workflow/presets/smoke.yaml", *presets, "--", target),
    ]


def test_the_table_equals_that_of_a_local_run(finished, smoke):
    ours, theirs = (
        pd.read_csv(project.folder / "results" / "table1.csv").drop(columns=COSTS)
        for project in (finished, smoke)
    )
    pd.testing.assert_frame_equal(ours, theirs)


def test_a_local_run_after_it_has_nothing_to_do(finished):
    assert finished.planned("results/table1.csv") == {}


def test_each_job_logs_where_the_readme_says(finished):
    logs = {str(p.relative_to(finished.folder / "logs")) for p in (finished.folder / "logs").rglob("*.log")}
    assert {
        "train/open-human/npt/seed0.log",
        "score/open-human/npt/seed0.log",
        "tables/table1.log",
    } <= logs


def test_trainings_take_turns_on_the_gpu_and_other_jobs_do_not_wait(finished):
    jobs = slurm_jobs(finished)
    trainings = sorted(when for rule, when in jobs if rule.startswith("rule_train"))
    assert len(trainings) == 4
    for (_, end), (start, _) in itertools.pairwise(trainings):
        assert start >= end, "two trainings at once on one GPU"
    others = [when for rule, when in jobs if not rule.startswith("rule_train")]
    assert any(a < end and start < b for a, b in others for start, end in trainings)


def slurm_jobs(project: Project) -> list[tuple[str, tuple[pd.Timestamp, pd.Timestamp]]]:
    """Rule, start and end of every job of a project that Slurm remembers."""
    told = subprocess.run(
        ["squeue", "-h", "--states=all", "-o", "%S|%e|%Z|%k"], capture_output=True, text=True, check=True
    )
    rows = [line.split("|") for line in told.stdout.splitlines()]
    return [
        (rule, (pd.Timestamp(start), pd.Timestamp(end)))
        for start, end, folder, rule in rows
        if folder == str(project.folder)
    ]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Project:
    """The long training by a local run."""
    project = Project(tmp_path_factory.mktemp("undisturbed"))
    (project.folder / "long.yaml").write_text(LONG)
    project.snakemake("results/table1.csv", preset="long.yaml")
    return project


def by_scancel(job: str) -> None:
    subprocess.run(["scancel", job], check=True)


def by_time_limit(job: str) -> None:
    subprocess.run(["scontrol", "update", f"JobId={job}", "TimeLimit=1"], check=True)


def by_out_of_memory(job: str) -> None:
    """What the kernel does to the largest process of a job beyond its limit."""
    largest = max(processes_of(job), key=resident)
    os.kill(largest, 9)


@pytest.mark.parametrize("kill", [by_scancel, by_time_limit, by_out_of_memory])
def test_a_killed_training_is_retried_and_goes_on_from_its_checkpoint(kill, undisturbed, tmp_path):
    project = Project(tmp_path)
    (tmp_path / "long.yaml").write_text(LONG)
    with subprocess.Popen(
        command(presets=("long.yaml",)),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        wait_for(lambda: any((tmp_path / "results").glob(".state/*/last.ckpt")), running)
        kill(job_of("train"))
        out = running.communicate(timeout=1200)[0]
    assert running.returncode == 0, out
    log = (tmp_path / "logs/train/open-human/npt/seed0.log").read_text()
    assert re.search(r"goes on from step [1-9]", log), f"the retry did not resume:\n{log}"
    ours, theirs = (
        load(p.folder / "results/runs/open-human/npt/seed0/model.manifest.json").content["files"]
        for p in (project, undisturbed)
    )
    assert ours["model.safetensors"] == theirs["model.safetensors"]


def job_of(rule: str) -> str:
    """Slurm's number of the running job of a rule."""
    rows = subprocess.run(
        ["squeue", "-h", "-t", "RUNNING", "-o", "%i %k"], capture_output=True, text=True, check=True
    )
    return next(row.split()[0] for row in rows.stdout.splitlines() if f"rule_{rule}" in row)


def processes_of(job: str) -> list[int]:
    """Processes of a job, found by the variable that Slurm gives them."""
    mark = f"SLURM_JOB_ID={job}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def resident(pid: int) -> int:
    """Pages of a process in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def wait_for(condition, running: subprocess.Popen, seconds: int = 900) -> None:
    """Wait until `condition()`; fail when the run ends before."""
    end = time.monotonic() + seconds
    while not condition():
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.5)
