"""Runs each `repose` of a workflow, and Snakemake itself, in a fork of one process that has every library loaded.

The workflow, its shell lines and the commands are the real ones; what is saved is the import of torch, lightning and
Snakemake in each of hundreds of processes, which takes longer than most of them. Libraries are loaded when the first
command comes.
"""

import os
import select
import site
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module, invalidate_caches
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory

CLIENT = Path(__file__).with_name("client.py")


@contextmanager
def preloaded(**environment: str) -> Iterator[str]:
    """Start the server, with some variables of its own; gives the address at which it listens."""
    with TemporaryDirectory(prefix="preloaded-") as folder:
        address = f"{folder}/socket"
        variables = os.environ | {"OMP_NUM_THREADS": "1"} | environment
        server = subprocess.Popen([sys.executable, __file__, address], env=variables)
        try:
            while not os.path.exists(address):
                assert server.poll() is None, "the server ended"
                time.sleep(0.01)
            yield address
        finally:
            server.kill()
            server.wait()


def preloaded_at(address: str) -> dict[str, str]:
    """The environment in which `repose` is run by the server at an address."""
    # A function, as the workflow puts the folder of its own interpreter in front of the path.
    return {"REPOSE_PRELOADED": address, "BASH_FUNC_repose%%": f'() {{ {CLIENT} "$@"; }}'}


def serve(address: str) -> None:
    """Take requests, one after another; each is run, and its end told, by forks. Ends with who started it."""
    listener, starter, ready = socket.socket(socket.AF_UNIX), os.getppid(), False
    listener.bind(f"{address}.new")
    listener.listen()
    os.rename(f"{address}.new", address)
    while os.getppid() == starter:
        _bury()
        if not select.select([listener], [], [], 1)[0]:
            continue
        channel, _ = listener.accept()
        if not ready:
            _load()
            ready = True
        if os.fork() == 0:
            listener.close()
            _answer(channel)
        channel.close()


def _bury() -> None:
    """Take note of the forks that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _load() -> None:
    """Import all that a stage may import when it runs, and hash its code; and read Anny, if that pays."""
    import repose

    invalidate_caches()  # the packages on its path may not have been there when it started
    modules = [module.name for module in walk_packages(repose.__path__, "repose.")]
    for name in modules:
        if not name.startswith(("repose.__main__", "repose.bench")):
            import_module(name)
    import_module("snakemake.cli")
    if "PRELOADED_ANNY" in os.environ:
        generation = import_module("repose.synthetic.open_human.generation")
        anny = generation.load_template()
        generation.load_template = lambda: anny
    code = import_module("repose.provenance.code")
    for name in modules:
        code.code_hash(name)
        code.software(name)


def _answer(channel: socket.socket) -> None:
    """Run one command in a fork and tell its exit status; never returns."""
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
        _command(arguments[0])()
    except SystemExit as ended:
        status = ended.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


def _command(name: str) -> Callable[[], None]:
    """What a command calls."""
    module = "snakemake.cli" if Path(name).name == "snakemake" else "repose.cli"
    main: Callable[[], None] = import_module(module).main
    return main


if __name__ == "__main__":
    serve(sys.argv[1])
