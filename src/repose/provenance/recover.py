"""Recover after the scheduler or the machine was killed: end processes that live on, remove partial files, unlock.

Slurm jobs of the folder are cancelled, wherever they run or wait. Other processes are ended only if they certainly
belong to this folder: the workflow gives its jobs the folder's configuration and the name of their scheduler in the
environment, and that scheduler must be dead.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from repose.errors import ReposeError
from repose.provenance.owner import MARK, holder, is_held, owners, remove_if_free
from repose.provenance.process import Process
from repose.provenance.publish import PRIVATE, dead_writer, remove_leftover
from repose.provenance.slurm import cancel_leftovers

CONFIGS = ".config"  # the configurations of runs; see `repose.results`
RUN = "run:"  # prefix of the owners' files of schedulers
PATIENCE = 10  # seconds between the request to end and the kill


@dataclass(frozen=True)
class Recovered:
    """The result of `recover`."""

    ended: list[str]  # Slurm jobs and command lines
    removed: list[Path]
    foreign: list[Path]  # private files of other machines, which are left alone
    unlocked: bool


def recover(results: Path) -> Recovered:
    """Prepare a folder of results for the next run.

    Raises:
        ReposeError: a run is in progress, or another machine still writes; nothing is changed then.
    """
    refuse_while_running(results)
    ended = cancel_leftovers(results.absolute().parent) + _end(list(leftover_jobs(results)))
    for file in sorted(owners(results).glob("*")):
        if not remove_if_free(file):
            raise ReposeError(
                f"{file.name.replace(':', '/')} is still written by {holder(file) or 'another process'}",
                where=results,
                hint="run `repose recover` there, or end its Slurm job",
            )
    removed, foreign = _remove_private_files(results)
    return Recovered(ended, removed, foreign, _unlock(results.absolute().parent))


def clean(results: Path, checkpoints: bool) -> int:
    """Remove cached results, and on request checkpoints of unfinished trainings; return the bytes that were freed."""
    refuse_while_running(results)
    folders = [results / ".cache"]
    if checkpoints:
        folders += [p for p in (results / ".state").glob("*") if p.is_dir() and p.name != "owners"]
    freed = sum(_own_bytes(folder) for folder in folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def refuse_while_running(results: Path) -> None:
    """Raise if a scheduler works on this folder, on this machine or, if file locks work across machines, on another."""
    if not (results / MARK).is_file():
        raise ReposeError(
            f"no folder of results of this workflow: no {MARK} in it", where=results, hint="give --results"
        )
    for file in sorted(owners(results).glob("*")):
        if file.name.startswith(RUN) and is_held(file):
            raise ReposeError(
                f"a run is going on: {holder(file) or file.name}",
                where=results,
                hint="let it end, or stop it with Ctrl-C",
            )


def leftover_jobs(results: Path) -> Iterator[psutil.Process]:
    """Yield processes of this machine that a dead scheduler started for this folder of results."""
    configs = (results / CONFIGS).resolve()
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            config, run = environment.get("REPOSE_CONFIG"), environment.get("REPOSE_RUN")
            if config and run and Path(config).resolve().parent == configs:
                scheduler = Process(**json.loads(run))
                if scheduler.is_here and not scheduler.alive and process.pid != os.getpid():
                    yield process
        except (psutil.Error, ValueError, TypeError):
            continue  # it has ended meanwhile, belongs to another user, or names no scheduler


def _end(processes: list[psutil.Process]) -> list[str]:
    named, living = [], processes
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            named.append(" ".join(process.cmdline()))
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in living:
            with suppress(psutil.NoSuchProcess):  # psutil checks that the id is still that process
                end(process)
        _, living = psutil.wait_procs(living, timeout=PATIENCE)
    return named


def _remove_private_files(results: Path) -> tuple[list[Path], list[Path]]:
    removed, foreign = [], []
    for folder, folders, files in os.walk(results):
        for name in [*folders, *files]:
            path, dead = Path(folder) / name, dead_writer(name)
            if dead:
                remove_leftover(path)
                removed.append(path)
            elif dead is None and PRIVATE.fullmatch(name):
                foreign.append(path)
        folders[:] = [name for name in folders if not PRIVATE.fullmatch(name)]
    return removed, foreign


def _unlock(project: Path) -> bool:
    locks = project / ".snakemake" / "locks"
    if not locks.is_dir() or not any(locks.iterdir()):
        return False
    command = [sys.executable, "-m", "snakemake", "--unlock", "--cores", "1"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip().splitlines() or ["no reason given"]
        raise ReposeError(
            f"snakemake --unlock failed: {why[-1]}",
            where=project,
            hint="run it by hand",
        )
    return True


def _own_bytes(folder: Path) -> int:
    """Return the bytes of files that have no other link."""
    stats = [p.stat() for p in folder.rglob("*") if p.is_file()]
    return sum(s.st_size for s in stats if s.st_nlink == 1)
