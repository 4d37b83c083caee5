"""Slurm jobs that a killed scheduler left behind."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from repose.errors import ReposeError

PATIENCE = 120  # seconds until a cancelled job must be gone


def cancel_leftovers(project: Path) -> list[str]:
    """Cancel this user's jobs that Snakemake submitted from a folder, and wait until they have ended.

    Snakemake writes the rule into the comment of each job; other jobs of that folder are not touched. Call this only if
    no scheduler of the folder is alive.

    Returns:
        The cancelled jobs, one line each.

    Raises:
        ReposeError: Slurm did not end a job in time.
    """
    if not shutil.which("squeue"):
        return []
    try:
        jobs = _jobs(project)
    except ReposeError as error:
        print(f"{error}: Slurm jobs, if there are any, stay", file=sys.stderr)
        return []
    if jobs:
        subprocess.run(["scancel", *jobs], check=False, capture_output=True)
    left, end = set(jobs), time.monotonic() + PATIENCE
    while left:
        if time.monotonic() > end:
            raise ReposeError(
                f"Slurm job {', '.join(sorted(left))} does not end",
                where=project,
                hint="ask `squeue` why, then run `repose recover` again",
            )
        time.sleep(1)
        with suppress(ReposeError):  # a Slurm that does not answer now is asked again
            left &= set(_jobs(project))
    return [f"Slurm job {number}, {rule}" for number, rule in sorted(jobs.items())]


def _jobs(project: Path) -> dict[str, str]:
    """Return number and rule of the jobs that are not over.

    Raises:
        ReposeError: Slurm does not tell.
    """
    command = ["squeue", "--noheader", "--user", str(os.getuid()), "--format", "%i|%k|%Z"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        why = told.stderr.strip().splitlines() or ["no reason given"]
        raise ReposeError(f"squeue does not answer ({why[-1]})")
    found = {}
    for line in told.stdout.splitlines():
        number, _, rest = line.partition("|")
        comment, _, folder = rest.rpartition("|")
        if comment.startswith("rule_") and Path(folder).resolve() == project.resolve():
            found[number] = comment
    return found
