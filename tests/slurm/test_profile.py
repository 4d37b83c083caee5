"""The workflow on a real Slurm cluster: `make test-slurm`, which starts one first (see cluster.sh).

Each job costs seconds, whatever it does, so that the project is the tiny one.
"""

import os
import re
import signal
import subprocess

import pandas as pd
import pytest
from slurm_jobs import (
    LOG,
    LONG,
    MODEL,
    SEEDS,
    TABLE,
    checkpoints,
    command,
    copy,
    held,
    of,
    processes_of,
    queue,
    ran,
    resident,
    sbatch,
    start,
    tiny,
    wait_for,
    weights,
)
from tiny.project import Tiny, bring_archive

from repose.provenance.manifest import load
from repose.tables.runs import MEASURED


def test_the_table_equals_that_of_a_local_run_which_has_nothing_to_do_after_it(finished, tmp_path):
    assert finished.planned(TABLE) == {}
    local = tiny(tmp_path, SEEDS)
    local.snakemake(TABLE)
    ours, theirs = (
        pd.read_csv(project.folder / TABLE).drop(columns=MEASURED) for project in (finished, local)
    )
    pd.testing.assert_frame_equal(ours, theirs)


def test_each_job_logs_where_the_readme_says(finished):
    logs = {str(p.relative_to(finished.folder / "logs")) for p in (finished.folder / "logs").rglob("*.log")}
    assert {"train/faust/npt/seed0.log", "score/faust/npt/seed0.log", "tables/table1.log"} <= logs


def test_a_changed_mesh_runs_what_follows_from_it_and_nothing_else(finished, tmp_path):
    project = copy(finished, tmp_path)
    for path in (project.raw / "MPI-FAUST.zip", project.folder / "results/data/faust/meshes.manifest.json"):
        path.touch()
    assert project.planned(TABLE) == {}
    bring_archive(project.raw, bend=1)
    every = {"raw_files": 1, "convert": 1, "store": 1, "split": 2, "train": 2, "predict": 2, "score": 2}
    assert project.planned(TABLE) == every | {"tables": 1}
    out = project.run(*command(target="results/data/faust/catalog.parquet")).stdout
    assert sorted(re.findall(r"^rule (\w+):", out, flags=re.M)) == ["convert", "raw_files"]
    log = (project.folder / "logs/convert/faust.log").read_text()
    assert "4 converted, 20 unchanged" in log, "every pose but the last is another identity's file of before"


def test_trainings_take_turns_on_the_gpu(finished):
    (first, second) = sorted(when for rule, when in ran(finished) if rule.startswith("rule_train"))
    assert second[0] >= first[1], "two trainings at once on one GPU"


def by_scancel(job: str) -> None:
    subprocess.run(["scancel", job], check=True)


def by_time_limit(job: str) -> None:
    """Held, it would never end."""
    for process in processes_of(job):
        os.kill(process, signal.SIGSTOP)
    subprocess.run(["scontrol", "update", f"JobId={job}", "TimeLimit=1"], check=True)


def by_the_kernel(job: str) -> None:
    """What it does to the largest process when a machine is out of memory."""
    os.kill(max(processes_of(job), key=resident), signal.SIGKILL)


@pytest.fixture(scope="session")
def undisturbed(finished, tmp_path_factory) -> Tiny:
    """The long training by a local run."""
    project = copy(finished, tmp_path_factory.mktemp("undisturbed"), LONG)
    project.snakemake(MODEL)
    return project


@pytest.mark.parametrize("kill", [by_scancel, by_time_limit, by_the_kernel])
def test_a_killed_training_is_retried_and_goes_on_from_its_checkpoint(kill, finished, undisturbed, tmp_path):
    project = copy(finished, tmp_path, LONG)
    with start(project, target=MODEL) as running:
        wait_for(lambda: checkpoints(project), running)
        kill(of("RUNNING", "train", project)[0])
        assert running.wait(timeout=900) == 0, (project.folder / "out").read_text()
    log = (tmp_path / LOG).read_text()
    assert re.search(r"goes on from step [1-9]", log), f"the retry did not resume:\n{log}"
    assert weights(project) == weights(undisturbed)


def test_a_job_beyond_its_memory_is_killed_by_slurm_and_retried_with_more(finished, tmp_path):
    project = copy(finished, tmp_path, "methods: {npt: {training: {eps: 1.0e-7}}}\n")
    out = project.run(
        *command("--set-resources", "train:mem_mb=60 if attempt == 1 else 4000", target=MODEL)
    ).stdout
    assert "OUT_OF_MEMORY" in out or "FAILED" in out or "CANCELLED" in out, out
    assert len([rule for rule, _ in ran(project) if rule.startswith("rule_train")]) == 2
    assert (tmp_path / MODEL).exists()


def test_after_a_kill_of_the_scheduler_recover_cancels_its_slurm_jobs_and_the_next_run_goes_on(
    finished, undisturbed, tmp_path
):
    project = copy(finished, tmp_path, LONG)
    with start(project, target=MODEL) as running:
        wait_for(lambda: checkpoints(project), running)
        [job] = of("RUNNING", "train", project)
        mine = sbatch("--hold", "--mem=100", "--chdir", str(tmp_path), "--wrap", "true")
        running.kill()
        running.wait()
    assert of("RUNNING", "train", project) == [job], "a Slurm job of a killed scheduler lives on"
    out = project.repose("recover").stdout
    assert f"ended: Slurm job {job}" in out and "unlocked Snakemake" in out
    assert not of("RUNNING", "", project) and not held(project)
    kept = subprocess.run(
        ["squeue", "-h", "-j", mine, "-o", "%T"], capture_output=True, text=True, check=True
    )
    subprocess.run(["scancel", mine], check=True)
    assert kept.stdout.strip() == "PENDING", "a job that Snakemake did not submit was cancelled"
    project.run(*command(target=MODEL))
    assert "goes on from step" in (tmp_path / LOG).read_text()
    assert weights(project) == weights(undisturbed)


def test_dask_workers_that_are_slurm_jobs_make_the_same_bytes(tmp_path):
    made = ("results/data/faust/catalog.manifest.json", "results/gih/faust.manifest.json")
    dask = "convert: {scheduler: slurm, workers: 2}\ngih: {scheduler: slurm, workers: 2}\n"
    projects = []
    for name, preset in (("slurm", dask), ("alone", "gih: {scheduler: threads}\n")):
        (tmp_path / name).mkdir()
        projects.append(tiny(tmp_path / name, preset))
        projects[-1].snakemake(*made)
    workers = [place for name, place in queue("%j %Z", "all") if name == "dask-worker"]
    assert workers.count(str(tmp_path / "slurm")) >= 2, (
        "one or more for the conversions, and for the distances"
    )
    for manifest in made:
        ours, theirs = (load(project.folder / manifest).content for project in projects)
        assert ours == theirs
