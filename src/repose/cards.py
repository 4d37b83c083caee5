"""The GPUs of this machine: their number, and which of them a job has for itself."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any

from repose.provenance.owner import try_lock

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_held: list[IO[str]] = []  # held until the process ends in any way


def gpus_here() -> list[str]:
    """Return the GPUs that a process started now may use, as in `CUDA_VISIBLE_DEVICES`."""
    visible = os.environ.get(_VISIBLE)
    if visible is not None:
        return [name for name in visible.split(",") if name and name != "-1"]
    try:
        command = ["nvidia-smi", "--list-gpus"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(number) for number in range(len(listed.splitlines()))]


def bound_by_gpus(workflow: Any) -> bool:
    """Make jobs of Snakemake's workflow wait for one of this machine's GPUs, if it runs them here and has any.

    On a cluster jobs are limited by `--jobs`, and the cluster assigns its GPUs.

    Returns:
        Whether it has any.
    """
    gpus = len(gpus_here()) if workflow.resource_settings.nodes is None else 0
    if gpus and "gpu" not in workflow.global_resources:
        workflow.register_resource("gpu", gpus)
    return gpus > 0


def take(count: int) -> None:
    """Restrict this process to `count` of its GPUs that no other job of this user has taken.

    Call it before anything uses CUDA. All GPUs stay visible if there are not more than that, or if fewer are free, as
    when commands are started by hand.
    """
    there = gpus_here()
    if len(there) <= count:
        return
    folder = Path(tempfile.gettempdir()) / f"repose-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found: dict[str, IO[str]] = {}
    for name in there:
        handle: IO[str] = (folder / name).open("a")
        if len(found) < count and try_lock(handle):
            found[name] = handle
        else:
            handle.close()
    if len(found) < count:
        for handle in found.values():
            handle.close()
        return
    _held.extend(found.values())
    os.environ[_VISIBLE] = ",".join(found)
