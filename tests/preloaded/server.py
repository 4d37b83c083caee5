"""Runs each `repose` of a workflow in a fork of one process that has every library loaded.

The workflow, its shell lines and the commands are the real ones; what is saved is the import of torch and lightning in
each of the eighty jobs, which takes longer than most of them.
"""

import os
import signal
import site
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import repose
from repose.cli import main

CLIENT = Path(__file__).with_name("client.py")


@contextmanager
def preloaded(folder: Path) -> Iterator[dict[str, str]]:
    """Start the server; gives the environment in which `repose` is run by it."""
    address = folder / "preloaded.socket"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "REPOSE_PRELOADED": str(address)}
    server = subprocess.Popen([sys.executable, __file__, str(address)], env=environment)
    try:
        while not address.exists():
            assert server.poll() is None, "the server ended"
            time.sleep(0.05)
        # A function, as the workflow puts the folder of its own interpreter in front of the path.
        function = f'() {{ {CLIENT} "$@"; }}'
        yield {"REPOSE_PRELOADED": str(address), "BASH_FUNC_repose%%": function}
    finally:
        server.kill()
        server.wait()
        address.unlink(missing_ok=True)


def serve(address: str) -> None:
    """Take requests, one after another; each is run, and its end told, by forks."""
    _load()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen()
    os.rename(f"{address}.new", address)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    while True:
        channel, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(channel)
        channel.close()


def _load() -> None:
    """Import all that a stage may import when it runs."""
    for module in walk_packages(repose.__path__, "repose."):
        if not module.name.startswith(("repose.__main__", "repose.bench")):
            import_module(module.name)


def _answer(channel: socket.socket) -> None:
    """Run one command in a fork and tell its exit status; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, files, _, _ = socket.recv_fds(channel, 8, 3)
    message = b""
    while len(message) < int.from_bytes(length, "big"):
        message += channel.recv(1 << 20)
    where, count, *words = message.decode("utf-8", "surrogateescape").split("\0")
    child = os.fork()
    if child == 0:
        _run(where, words[: int(count)], words[int(count) :], files)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    channel.sendall(str(status if status >= 0 else 128 - status).encode())
    os._exit(0)


def _run(where: str, arguments: list[str], environment: list[str], files: list[int]) -> None:
    """Be the command; never returns."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(where)
    os.environ.clear()
    os.environ.update(entry.split("=", 1) for entry in environment)
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    site.execsitecustomize()
    sys.argv = arguments
    status: object = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    serve(sys.argv[1])
