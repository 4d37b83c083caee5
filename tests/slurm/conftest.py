"""One finished run on Slurm for all of these tests."""

import subprocess

import pytest
from slurm_jobs import SEEDS, of, pending, sbatch, start, tiny, wait_for
from tiny.project import Tiny


@pytest.fixture(scope="session", autouse=True)
def cluster():
    state = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, check=False)
    assert state.stdout.strip() in {"idle", "mix", "alloc"}, "no Slurm here: run tests/slurm/cluster.sh up"


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Tiny:
    """The table, every job through Slurm, on one GPU; that is taken, too, until nothing but trainings can go on."""
    project = tiny(tmp_path_factory.mktemp("slurm"), SEEDS)
    other, blocker = (sbatch("--gpus=1", "--mem=100", "--wrap", "sleep 3600") for _ in range(2))
    with start(project, "--set-resources", "train:gpu=1") as running:
        wait_for(lambda: len(pending("train", project)) == 2, running)
        wait_for(lambda: not pending("", project, but="train") and not of("RUNNING", "", project), running)
        waiting = pending("train", project)
        made = {path.name for path in (project.folder / "results/splits/faust").glob("*.parquet")}
        subprocess.run(["scancel", blocker], check=True)
        assert running.wait(timeout=1500) == 0, (project.folder / "out").read_text()
    subprocess.run(["scancel", other], check=True)
    assert len(waiting) == 2, "a training did not wait for the GPU"
    assert made == {"train.parquet", "unseen.parquet"}, "a job that needs no GPU waited for one"
    return project
