"""GPUs as something that jobs wait for, on machines that say they have some."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from conftest import ROOT
from snakemake_executor_plugin_slurm.submit_string import get_submit_command

from repose import cards

BOUND = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings
config = {"compute": {"device": sys.argv[1]}}
settings = ResourceSettings(cores=8, nodes=int(sys.argv[2]) or None, resources=json.loads(sys.argv[3]))
with SnakemakeApi() as api:
    workflow = api.workflow(settings, ConfigSettings(config=config), snakefile=Path("Snakefile"))._workflow
    bound = workflow.global_resources.get("gpu")
    need = workflow.globals["PLAN"].need("train", dataset="open-human", method="npt", seed="0")
    print(json.dumps([bound and bound.value, need.gpus]))
"""


@pytest.fixture
def two(tmp_path, monkeypatch) -> Path:
    """A folder of programs, with an `nvidia-smi` that lists two GPUs; it is found first."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'GPU 0: one'\necho 'GPU 1: another'\n")
    program.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(cards.tempfile, "tempdir", None)
    return tmp_path


@pytest.mark.parametrize(
    ("device", "jobs", "given", "expected"),
    [
        ("cuda", 0, {}, [2, 1]),
        ("auto", 0, {}, [2, 1]),
        ("cpu", 0, {}, [2, 0]),
        ("cuda", 0, {"gpu": 1}, [1, 1]),
        ("cuda", 100, {}, [None, 1]),  # on a cluster
        ("auto", 100, {}, [None, 0]),
    ],
)
def test_plain_snakemake_runs_as_many_trainings_as_there_are_gpus(two, device, jobs, given, expected):
    command = [sys.executable, "-c", BOUND, device, str(jobs), json.dumps(given)]
    for name in ("Snakefile", "workflow", "config.yaml"):
        (two / name).symlink_to(ROOT / name)
    done = subprocess.run(command, cwd=two, stdout=subprocess.PIPE, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == expected


def test_gpus_are_those_that_may_be_seen(two, monkeypatch):
    assert cards.gpus_here() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert cards.gpus_here() == ["1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert cards.gpus_here() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    (two / "bin" / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert cards.gpus_here() == []


TAKES = """
import os, sys
from repose.cards import take
take(int(sys.argv[1]))
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""


def test_each_job_has_a_gpu_of_its_own_until_it_ends(two):
    def job(count: int) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", TAKES, str(count)], text=True, **pipes)

    def sees(process: subprocess.Popen[str]) -> str:
        return process.stdout.readline().strip()

    first, second = job(1), job(1)
    try:
        assert {sees(first), sees(second)} == {"0", "1"}
        all_are_taken = job(1)
        assert sees(all_are_taken) == "None"  # it shares what it finds
        all_are_taken.communicate()
        first.kill()
        first.wait()
        third = job(1)
        assert sees(third) in "01"
        third.communicate()
        both = job(2)
        assert sees(both) == "None"
        both.communicate()
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()


def test_gpus_of_one_training_are_asked_for_on_one_node():
    profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())

    class Resources(dict):
        __getattr__ = dict.__getitem__

    job = SimpleNamespace(resources=Resources(profile["default-resources"] | {"gpu": 4}), threads=4)
    names = ("run_uuid", "slurm_logfile", "comment_str", "account", "partition", "workdir")
    command = get_submit_command(job, dict.fromkeys(names, "x"))
    assert "--nodes=1" in command
