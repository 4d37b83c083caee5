"""Kill a process right before one of its writes below a folder, or in the middle of a file.

Python announces what it does to files to audit hooks. Libraries that write in C or Rust are seen when their file is
flushed, which `publish` does in Python before it renames.
"""

import itertools
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

WRITES = {
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.utime",
    "os.truncate",
    "os.symlink",
}
OPENED_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Fault:
    """What befalls a process.

    Attributes:
        at: number of the write before which it happens; None: never.
        tear: cut the file in half first, if the write is a flush.
        stop: hold the process (SIGSTOP) instead of killing it.
    """

    at: int | None = None
    tear: bool = False
    stop: bool = False


class Injector:
    """Counts the writes of this process below `root`, and lets the fault happen. There is no way to switch it off."""

    def __init__(self, root: Path, fault: Fault):
        self.count = 0
        self._numbers = (
            itertools.count()
        )  # threads must not take the same: a second stop would have nobody to end it
        self._root, self._fault = os.path.realpath(root), fault
        self._flush = os.fsync
        os.fsync = self._fsync
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & OPENED_TO_WRITE:
                return
        elif event in WRITES:
            path = arguments[0]
        else:
            return
        if isinstance(path, str | bytes | os.PathLike):
            self._write(os.path.abspath(os.fsdecode(path)))

    def _fsync(self, descriptor: int) -> None:
        self._write(os.readlink(f"/proc/self/fd/{descriptor}"), flushes=True)
        self._flush(descriptor)

    def _write(self, path: str, flushes: bool = False) -> None:
        if not path.startswith(self._root):
            return
        number = next(self._numbers)
        self.count = number + 1
        if number == self._fault.at:
            # What has another name, a result and the one kept of it, was flushed before it was linked: it cannot tear.
            if self._fault.tear and flushes and os.path.isfile(path) and os.stat(path).st_nlink == 1:
                os.truncate(path, os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGSTOP if self._fault.stop else signal.SIGKILL)
