"""What a run leaves behind is of use to the next: finished results, and a way on after a kill."""

import signal
import subprocess
import sys
import time

import psutil
from conftest import Project

from repose.provenance.manifest import history_path, load
from repose.provenance.owner import holder

SCORES = "results/scores/open-human/npt/seed0.parquet"
MODEL = "results/runs/open-human/npt/seed0/model.safetensors"
OWNER = "results/.state/owners/runs:open-human:npt:seed0:model"
# On the path of processes for which one module is another: what a file says that is edited is tested with the hashes.
EDITED = """\
from repose.provenance import code

known = code._module_hash
code._module_hash = lambda module: "edited" if module == "repose.synthetic.open_human.generation" else known(module)
code.code_hash.cache_clear()
"""


def test_a_generator_that_is_edited_but_makes_the_same_bytes_costs_no_training(copied, quick_jobs, tmp_path):
    (tmp_path / "edited").mkdir()
    (tmp_path / "edited" / "sitecustomize.py").write_text(EDITED)
    runs = [copied.folder / MODEL, copied.folder / SCORES]
    before = [history_path(run.with_name(run.stem + ".manifest.json")).read_text() for run in runs]
    raw = copied.folder / "results" / "data" / "open-human" / "raw.manifest.json"
    code = load(raw).history["code"]
    project = Project(copied.folder, quick_jobs | {"PYTHONPATH": str(tmp_path / "edited")})
    ran, left = project.ran(SCORES), project.planned(SCORES)
    assert left == {}
    assert ran["raw"] == ran["train"] == ran["score"] == 1
    after = [history_path(run.with_name(run.stem + ".manifest.json")).read_text() for run in runs]
    assert after == before, "each was made only once, before"
    for log in ("train/open-human/npt", "predict/open-human/npt", "score/open-human/npt"):
        assert "brought back" in (project.folder / "logs" / log / "seed0.log").read_text()
    assert load(raw).history["code"] != code


def test_after_a_kill_of_the_scheduler_recover_ends_its_jobs_and_the_next_run_goes_on(copied, project):
    """The scheduler and the job that is killed are processes of their own."""
    (project.folder / "long.yaml").write_text("methods: {npt: {training: {steps: 1000000}}}\n")
    presets = ["--configfile", "workflow/presets/smoke.yaml", "long.yaml"]
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *presets, "--", MODEL]
    scheduler = subprocess.Popen(
        command,
        cwd=copied.folder,
        env=copied.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    job = None
    try:
        while job is None:
            assert scheduler.poll() is None, "the run ended before the training began"
            time.sleep(0.2)
            job = holder(project.folder / OWNER)
        going_on = project.repose("recover", check=False)
        assert going_on.returncode == 1 and "a run is going on" in going_on.stdout and job.alive
        scheduler.send_signal(signal.SIGKILL)
        scheduler.wait()
        assert job.alive, "a job of a killed scheduler lives on"
        locked = project.snakemake(MODEL, check=False)
        assert locked.returncode and "LockException" in locked.stdout
        done = project.repose("recover").stdout
        assert (
            "ended: " in done
            and "train open-human npt" in done
            and "unlocked Snakemake" in done
            and "--rerun-incomplete" in done
        )
        assert not job.alive
    finally:
        scheduler.kill()
        if job and job.alive:
            psutil.Process(job.pid).kill()
    project.snakemake("--rerun-incomplete", MODEL)
    assert "brought back" in (project.folder / "logs/train/open-human/npt/seed0.log").read_text()
    assert project.planned(SCORES) == {}
