"""The workflow on a real Slurm cluster: `make test-slurm`, which starts one first (see cluster.sh).

Each job costs seconds, whatever it does, so that the project is the tiny one.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from tiny.project import Tiny, bring_archive

from repose.provenance.manifest import load
from repose.provenance.owner import holder
from repose.tables.runs import MEASURED

TABLE = "results/table1.csv"
MODEL = "results/runs/faust/npt/seed0/model.safetensors"
MANIFEST = "results/runs/faust/npt/seed0/model.manifest.json"
OWNER = "results/.state/owners/runs:faust:npt:seed0:model"
LOG = "logs/train/faust/npt/seed0.log"
SEEDS = "tables: {table1: {seeds: [0, 1]}}\n"
# Long enough to be interrupted, short enough to wait for; a checkpoint every 20 steps.
LONG = "methods: {npt: {training: {steps: 300, validate_every: 20}}}\n"


@pytest.fixture(scope="session", autouse=True)
def cluster():
    state = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, check=False)
    assert state.stdout.strip() in {"idle", "mix", "alloc"}, "no Slurm here: run tests/slurm/cluster.sh up"


def tiny(folder: Path, preset: str) -> Tiny:
    project = Tiny(folder)
    project.presets = ("preset.yaml",)
    (folder / "preset.yaml").write_text(preset)
    bring_archive(project.raw)
    return project


def command(*options: str, target: str = TABLE) -> list[str]:
    """What a user types, with a preset; the profile's pauses shortened."""
    return [
        *("snakemake", "--profile", "slurm", "--slurm-init-seconds-before-status-checks", "5", *options),
        *("--configfile", "preset.yaml", "--", target),
    ]


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Tiny:
    """The table, every job through Slurm; the node's one GPU is taken until nothing but trainings can go on."""
    project = tiny(tmp_path_factory.mktemp("slurm"), SEEDS)
    blocker = sbatch("--gpus=1", "--mem=100", "--wrap", "sleep 3600")
    with start(project, "--set-resources", "train:gpu=1") as running:
        wait_for(lambda: len(pending("train", project)) == 2, running)
        wait_for(lambda: not pending("", project, but="train") and not of("RUNNING", "", project), running)
        waiting = pending("train", project)
        made = {path.name for path in (project.folder / "results/splits/faust").glob("*.parquet")}
        subprocess.run(["scancel", blocker], check=True)
        assert running.wait(timeout=1500) == 0, (project.folder / "out").read_text()
    assert len(waiting) == 2, "a training did not wait for the GPU"
    assert made == {"train.parquet", "unseen.parquet"}, "a job that needs no GPU waited for one"
    return project


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


def copy(finished: Tiny, folder: Path, preset: str = SEEDS) -> Tiny:
    """The finished run in another folder, to be spoiled; `preset` may ask for another training."""
    for name in ("results", ".snakemake", "data"):
        shutil.copytree(finished.folder / name, folder / name, symlinks=True)
    project = Tiny(folder)
    project.presets = ("preset.yaml",)
    (folder / "preset.yaml").write_text(preset)
    return project


def start(project: Tiny, *options: str, target: str = TABLE) -> subprocess.Popen:
    """Run the workflow through Slurm in the background; what it says goes to the file `out`."""
    with (project.folder / "out").open("w") as out:
        return subprocess.Popen(
            command(*options, target=target),
            cwd=project.folder,
            env=project.environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def checkpoints(project: Tiny) -> bool:
    return any((project.folder / "results").glob(".state/*/last.ckpt"))


def weights(project: Tiny) -> dict:
    return load(project.folder / MANIFEST).content["files"]["model.safetensors"]


def held(project: Tiny) -> bool:
    job = holder(project.folder / OWNER)
    return job is not None and job.alive


def sbatch(*options: str) -> str:
    """Submit a job that is no part of the workflow; returns its number."""
    done = subprocess.run(
        ["sbatch", "--parsable", "--output=/dev/null", *options], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def queue(fields: str, states: str) -> list[list[str]]:
    told = subprocess.run(
        ["squeue", "-h", "-t", states, "-o", fields.replace(" ", "|")],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("|") for line in told.stdout.splitlines()]


def of(state: str, rule: str, project: Tiny) -> list[str]:
    """Numbers of the project's jobs of a rule ("": of any) in a state."""
    rows = queue("%i %k %Z", state)
    return [job for job, k, place in rows if place == str(project.folder) and k.startswith(f"rule_{rule}")]


def pending(rule: str, project: Tiny, but: str | None = None) -> list[str]:
    others = of("PENDING", but, project) if but else []
    return [job for job in of("PENDING", rule, project) if job not in others]


def ran(project: Tiny) -> list[tuple[str, tuple[pd.Timestamp, pd.Timestamp]]]:
    """Rule, start and end of every job of a project that Slurm remembers."""
    rows = queue("%S %e %Z %k", "all")
    mine = [(rule, start, end) for start, end, place, rule in rows if place == str(project.folder)]
    return [(rule, (pd.Timestamp(start), pd.Timestamp(end))) for rule, start, end in mine]


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
        assert running.poll() is None, "the run ended before"
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.5)
