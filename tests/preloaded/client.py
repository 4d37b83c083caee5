#!/usr/bin/env -S python3 -S
"""In the place of `repose`: has the command run by a process that has every library loaded: see server.py."""

import os
import socket
import sys
from collections.abc import Mapping, Sequence


def ask(words: Sequence[str], folder: str, environment: Mapping[str, str], files: Sequence[int]) -> int:
    """Have a command run there.

    Args:
        words: the command and its arguments.
        folder: where it runs.
        environment: its variables; one of them says where the server listens.
        files: its standard input, output and error, as descriptors.

    Returns:
        Its exit status, that of a signal as a shell gives it.
    """
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(environment["REPOSE_PRELOADED"])
        told = [folder, str(len(words)), *words, *(f"{k}={v}" for k, v in environment.items())]
        message = "\0".join(told).encode("utf-8", "surrogateescape")
        socket.send_fds(channel, [len(message).to_bytes(8, "big")], files)
        channel.sendall(message)
        return int(channel.recv(8) or b"1")


if __name__ == "__main__":
    sys.exit(ask(sys.argv, os.getcwd(), os.environ, [0, 1, 2]))
