"""The tiny project on Slurm, and what Slurm says of its jobs."""

import shutil
import subprocess
import time
from pathlib import Path

import pandas as pd
from tiny.project import Tiny, bring_archive

from repose.provenance.manifest import load
from repose.provenance.owner import holder

TABLE = "results/table1.csv"
MODEL = "results/runs/faust/npt/seed0/model.safetensors"
MANIFEST = "results/runs/faust/npt/seed0/model.manifest.json"
OWNER = "results/.state/owners/runs:faust:npt:seed0:model"
LOG = "logs/train/faust/npt/seed0.log"
SEEDS = "tables: {table1: {seeds: [0, 1]}}\n"
# Long enough to be interrupted, short enough to wait for; a checkpoint every 20 steps.
LONG = "methods: {npt: {training: {steps: 300, validate_every: 20}}}\n"


def tiny(folder: Path, preset: str) -> Tiny:
    """The project with raw files and a preset, nothing made yet."""
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
    """Numbers of the project's jobs of a rule, or of a group of rules ("": of any), in a state."""
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
