"""A tiny project whose jobs run in forks of one process that has every library loaded: a fifth of a second each."""

import json
import os
import re
import shlex
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd
import tiny.any_mesh.sitecustomize  # noqa: F401
from crash.faults import Fault, Injector
from released import body, faces_of, obj, ply
from tiny.project import VERTICES, Tiny

from repose.config.load import load_files
from repose.errors import ReposeError
from repose.mesh.formats.io import parse_mesh
from repose.plan import Plan
from repose.provenance.code import closure
from repose.provenance.manifest import history_path, load, succeeding, verify
from repose.provenance.owner import mark
from repose.tables.runs import MEASURED

CONFIG = Path(__file__).parents[1] / "tiny" / "config.yaml"
TARGETS = ("results/table1.csv", "results/figures/table1.png", "results/gih/faust.manifest.json")
STAGES = (
    "raw",
    "convert",
    "store",
    "gih_part",
    "gih",
    "split",
    "train",
    "predict",
    "score",
    "tables",
    "report",
)
UNDECLARED = {"convert": ("results/data/faust/.converted",), "gih_part": ("results/gih/faust.zarr",)}
NO_FAULT = Fault()


def load_libraries() -> None:
    """Import what the stages import when they run, and hash their code: it takes longer than most of the jobs."""
    planned = Plan(load_files(CONFIG))
    wildcards = {
        "dataset": "faust",
        "method": "npt",
        "seed": "0",
        "part": "train",
        "number": "0",
        "table": "table1",
    }
    for stage in STAGES:
        names = set(signature(getattr(Plan, stage)).parameters) & set(wildcards)
        spec = planned.need(stage, **{name: wildcards[name] for name in names}).spec
        for module in (*spec.modules, *closure(*spec.modules)):
            import_module(module)
        assert spec.shown
    import_module("repose.cli.stages")
    import_module("repose.cli.gih")
    for text, name in ((obj, "warm.obj"), (ply, "warm.ply")):
        parse_mesh(text(body(0, 0, VERTICES), faces_of(VERTICES)), Path(name))


@dataclass(frozen=True)
class Job:
    """A job as the workflow plans it."""

    name: str
    command: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def manifests(self) -> list[str]:
        """The manifests it writes: a conversion has two."""
        return [path for path in self.outputs if path.endswith(".manifest.json")]

    @property
    def files(self) -> list[str]:
        """All that it leaves in its place: declared outputs, lists, histories, and what outlives a run of it."""
        histories = [path.replace(".manifest.json", ".history.json") for path in self.manifests]
        folders = [*self.outputs, *UNDECLARED.get(self.name.split()[0], ())]
        return [*folders, *(f"{path}.b3" for path in folders if not path.endswith(".json")), *histories]


def plan(folder: Path) -> list[Job]:
    """The jobs of a new project in an order that works, from a dry run of the real workflow."""
    project = Tiny(folder)
    command = (
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "1",
        "--dry-run",
        "--printshellcmds",
        "--",
        *TARGETS,
    )
    text = project.run(*command).stdout
    mark(folder / "results")
    jobs = []
    for rule, block in re.findall(r"^rule (\w+):\n(.*?)(?:^\[|\Z)", text, flags=re.S | re.M):
        outputs = re.search(r"^    output: (.+)$", block, flags=re.M)
        command_line = re.search(r"^Shell command: (.+?) 2>&1", block, flags=re.M)
        wildcards = re.search(r"^    wildcards: (.+)$", block, flags=re.M)
        assert outputs and command_line and wildcards, block
        name = " ".join([rule, *(w.split("=")[1] for w in wildcards[1].split(", "))])
        jobs.append(Job(name, tuple(shlex.split(command_line[1])), tuple(outputs[1].split(", "))))
    return _ordered(jobs, text)


def _ordered(jobs: list[Job], text: str) -> list[Job]:
    """Producers before consumers."""
    blocks = re.findall(r"^    input: (.+)\n    output: (.+)$", text, flags=re.M)
    needs = {outputs: set(inputs.split(", ")) for inputs, outputs in blocks}
    made: set[str] = set()
    every = {path for job in jobs for path in job.outputs}
    ordered: list[Job] = []
    while len(ordered) < len(jobs):
        ready = [
            job
            for job in jobs
            if job not in ordered and needs.get(", ".join(job.outputs), set()) & every <= made
        ]
        assert ready, "the plan has a circle"
        ordered += ready
        made |= {path for job in ready for path in job.outputs}
    return ordered


class Sandbox:
    """One folder of results."""

    def __init__(self, folder: Path):
        self.folder, self.results = folder, folder / "results"

    def start(self, job: Job, fault: Fault = NO_FAULT) -> int:
        """Fork a process that runs a job as its rule does; returns its id."""
        child = os.fork()
        if not child:
            self._work(job.command, fault)
        return child

    def run(self, job: Job, fault: Fault = NO_FAULT, seconds: float | None = None) -> int:
        """Run a job, killed after `seconds`; returns its exit status, minus the signal of a kill."""
        child = self.start(job, fault)
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, 9)
        return ended(child)

    def writes(self) -> int:
        """How many writes the last job did that was not killed."""
        return int((self.folder / "writes").read_text())

    def log(self) -> str:
        """What the jobs said."""
        return (self.folder / "log").read_text()

    def delete_outputs(self, job: Job) -> None:
        """What Snakemake does before it runs a rule again."""
        for name in job.outputs:
            remove(self.folder / name)

    def undo(self, job: Job, older: "Sandbox | None") -> None:
        """Put the older version of what a job makes in its place, or none; of this version only histories are known."""
        after = [self._after(older, path) for path in job.manifests] if older else []
        for name in job.files:
            if not older and name.endswith(".history.json"):
                continue
            remove(self.folder / name)
            if older and (older.folder / name).exists():
                copy = shutil.copytree if (older.folder / name).is_dir() else shutil.copy2
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                copy(older.folder / name, self.folder / name)
        for path, history in after:
            path.write_text(json.dumps(history, indent=2, sort_keys=True) + "\n")
        for manifest in job.manifests:
            place = Path(manifest.removesuffix(".manifest.json")).relative_to("results")
            remove(self.results / ".cache" / place)

    def _after(self, older: "Sandbox", manifest: str) -> tuple[Path, dict[str, Any]]:
        """The history of the older version, as if it had come after the one of this version."""
        path = history_path(self.folder / manifest)
        before = load(self.folder / manifest).history
        return path, succeeding(load(older.folder / manifest).history, [*before["former"], before["sha256"]])

    def contents(self) -> dict[str, str]:
        """Digest of each finished artefact by the place of its manifest."""
        return {str(path.relative_to(self.results)): load(path).digest for path in self._manifests()}

    def torn(self, allowed: tuple[dict[str, str], ...]) -> list[str]:
        """Artefacts with a manifest that does not hold, or that are none of the `allowed` versions."""
        faults = []
        for path in self._manifests():
            place = str(path.relative_to(self.results))
            try:
                digest = verify(path).digest
            except ReposeError as error:
                # The store of distances outlives the jobs that add to it; its readers refuse it until it is gathered.
                if place != "gih/faust.manifest.json":
                    faults.append(f"{place}: {error}")
                continue
            if place != "table1.manifest.json" and digest not in {version.get(place) for version in allowed}:
                faults.append(f"{place}: neither the old nor the new version")
        return faults

    def table(self) -> pd.DataFrame:
        """The table without its costs."""
        return pd.read_csv(self.results / "table1.csv").drop(columns=MEASURED)

    def leftovers(self) -> list[str]:
        """Private files, checkpoints and locks."""
        private = [p for p in self.results.rglob(".*.tmp*")]
        state = [p for p in (self.results / ".state").rglob("*") if p.is_file()]
        return sorted(str(p.relative_to(self.results)) for p in private + state)

    def _manifests(self) -> list[Path]:
        return [p for p in self.results.rglob("*.manifest.json") if ".cache" not in p.parts]

    def _work(self, command: tuple[str, ...], fault: Fault) -> None:
        """The forked process; never returns."""
        os.chdir(self.folder)
        log = os.open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        config = next((self.results / ".config").glob("*.yaml"))
        os.environ["REPOSE_CONFIG"] = str(config)
        from repose.cli import main

        sys.argv = list(command)
        injector = Injector(self.results, fault)
        status = _status(main)
        Path("writes").write_text(str(injector.count))
        sys.stdout.flush()
        os._exit(status)


def remove(path: Path) -> None:
    """A file or a folder, if it is there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _status(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
        return 99
    return 0


def ended(child: int) -> int:
    """Wait for a process; its exit status, minus the signal of a kill."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
