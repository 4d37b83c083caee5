"""Processes of their own, whose time and memory are those of one piece of work."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from repose.bench import Side
from repose.errors import ReposeError

# Freed memory goes back to the system at once, so that the peak is of what is held and not of what lies idle.
RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def alone(module: str, call: str, **environment: str) -> Any:
    """What a function of a bench returns, called in a process of its own; with one thread if not told otherwise."""
    code = f"import json; from repose.bench import {module}; print(json.dumps({module}.{call}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def memory_mib(field: str) -> float:
    """MiB of this process; unlike getrusage, the highest does not begin with that of the process that started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 2**10
    raise ReposeError(f"this system does not say {field}", where="/proc/self/status")


def command(words: list[str], **options: Any) -> tuple[int, Side]:
    """The exit status of a command, its seconds by the clock and of the CPU, and its most resident memory (MiB).

    Args:
        words: the command line.
        options: of `subprocess.Popen`.
    """
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(words, **options)
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        # Not ru_maxrss: it starts from what the parent held when it forked.
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        peak = int(found[1]) if found else peak
        time.sleep(0.1)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return process.returncode, {"seconds": wall, "cpu_seconds": cpu, "peak_mib": peak / 1024}
