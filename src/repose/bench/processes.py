"""Separate processes, whose time and memory are those of one piece of work."""

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

# Freed memory is returned to the system at once, so that the peak is of memory in use.
RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def alone(module: str, call: str, **environment: str) -> Any:
    """Call a function of a bench in a separate process and return its result; with one thread by default."""
    code = f"import json; from repose.bench import {module}; print(json.dumps({module}.{call}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def memory_mib(field: str) -> float:
    """Return MiB of this process; unlike getrusage, its peak does not start from that of the parent process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 2**10
    raise ReposeError(f"this system does not say {field}", where="/proc/self/status")


def command(words: list[str], **options: Any) -> tuple[int, Side]:
    """Run a command, and return its exit status, its wall and CPU seconds, and its peak resident memory (MiB).

    Args:
        words: the command line.
        options: options of `subprocess.Popen`.
    """
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(words, **options)
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        # Not ru_maxrss, which starts from the parent's memory at the fork.
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        peak = int(found[1]) if found else peak
        time.sleep(0.1)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return process.returncode, {"seconds": wall, "cpu_seconds": cpu, "peak_mib": peak / 1024}
