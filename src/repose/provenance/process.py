"""The identity of a process that wrote a record, and whether it is alive."""

import os
import socket
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Process:
    """A process, identified across reboots and reused process ids."""

    host: str
    pid: int
    started: float  # seconds since 1970

    @classmethod
    def current(cls) -> "Process":
        """Return this process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, on this machine."""
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Return whether a process of this machine still runs."""
        try:
            process = psutil.Process(self.pid)
            # The clock may have been changed since.
            same = abs(process.create_time() - self.started) < 2
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def is_alive(pid: int) -> bool:
    """Return whether some process of this machine has this id, of any user; ids of 20 digits do not exist."""
    return pid < 2**31 and psutil.pid_exists(pid)
