"""The profiles `gpu` and `few-jobs` on top of `slurm`, with two made-up GPUs, and results on a shared folder."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
from slurm_jobs import LONG, SEEDS, TABLE, of, processes_of, ran, start, tiny, wait_for
from tiny.project import Tiny

from repose.tables.runs import MEASURED

# What the plan asks for where `compute: {device: cuda}` stands, which needs a real one.
GPU = ("--set-resources", "train:gpu=1", "predict:gpu=1")


def on_top(profile: str) -> tuple[str, ...]:
    return ("--profile", f"workflow/profiles/{profile}", *GPU)


def test_two_trainings_at_once_see_a_gpu_each_and_another_machine_sees_both(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "results").symlink_to(shared)
    project = tiny(tmp_path / "project", SEEDS + LONG)
    with start(project, *on_top("gpu")) as running:
        wait_for(lambda: len(devices(project)) == 2, running)
        seen, told = devices(project), status_elsewhere(project)
        assert running.wait(timeout=1500) == 0, (project.folder / "out").read_text()
    assert sorted(seen.values()) == ["0", "1"]
    assert {job["artefact"] for job in told if job["kind"] == "running" and job["why"].startswith("on ")} == {
        f"results/runs/faust/npt/seed{seed}/model.safetensors" for seed in (0, 1)
    }
    assert {job["kind"] for job in status_elsewhere(project)} == {"done"} and (shared / "table1.csv").exists()


def test_few_jobs_make_the_same_table_and_their_trainings_take_turns_on_one_gpu(finished, tmp_path):
    project = tiny(tmp_path, SEEDS)
    with start(project, *on_top("few-jobs")) as running:
        assert running.wait(timeout=1500) == 0, (project.folder / "out").read_text()
    assert len(ran(project)) == 3, "the data, the method, the table"
    [group] = of("all", "faust.npt", project)
    told = subprocess.run(["scontrol", "show", "job", group], capture_output=True, text=True, check=True)
    assert "TresPerJob=gres:gpu:1\n" in told.stdout, told.stdout
    (_, sealed), (began, _) = sorted(when_trained(project, seed) for seed in (0, 1))
    assert began >= int(sealed), "two trainings at once on one GPU"
    ours, theirs = (pd.read_csv(one.folder / TABLE).drop(columns=MEASURED) for one in (project, finished))
    pd.testing.assert_frame_equal(ours, theirs)


def when_trained(project: Tiny, seed: int) -> tuple[float, float]:
    """When a training began, in whole seconds, and when its result was sealed; since 1970."""
    # Snakemake touches outputs when a group is done; the history is none.
    history = project.folder / f"results/runs/faust/npt/seed{seed}/model.history.json"
    return pd.Timestamp(json.loads(history.read_text())["started"]).timestamp(), history.stat().st_mtime


def devices(project: Tiny) -> dict[str, str]:
    """The GPUs that the trainings that run now see, by the number of their job."""
    found = {}
    for job in of("RUNNING", "gpu", project):
        for folder in (Path("/proc") / str(pid) for pid in processes_of(job)):
            try:
                words, variables = ((folder / name).read_bytes() for name in ("cmdline", "environ"))
            except OSError:  # it has ended
                continue
            if re.search(rb"repose\0train\0", words):
                [found[job]] = re.findall(rb"\0CUDA_VISIBLE_DEVICES=([^\0]*)", variables)
    return {job: device.decode() for job, device in found.items()}


def status_elsewhere(project: Tiny) -> list[dict]:
    """What `repose status` says of the jobs on a machine of another name that has the same folders."""
    line = f"hostname login && exec {sys.executable} -m repose status --json {TABLE}"
    said = subprocess.run(
        ["unshare", "--uts", "sh", "-c", line],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(said.stdout)["jobs"]
