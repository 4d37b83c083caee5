"""Which process wrote something down, and whether it is alive."""

import os
import socket
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Process:
    """A process for as long as machines and process ids are used again."""

    host: str
    pid: int
    started: float  # seconds since 1970

    @classmethod
    def current(cls) -> "Process":
        """This process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, on this machine."""
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Whether a process of this machine still runs."""
        try:
            process = psutil.Process(self.pid)
            # The clock may have been set since.
            same = abs(process.create_time() - self.started) < 2
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def is_alive(pid: int) -> bool:
    """Whether some process of this machine has a number, whoever it belongs to; no process has one of 20 digits."""
    return pid < 2**31 and psutil.pid_exists(pid)
