"""One training on several devices of a machine: a process for each, gradients averaged (Lightning's DDP).

Lightning would start the whole program again for each device, and each copy would wait for the first, which owns the
artefact. So the processes are started here, and do nothing but train.
"""

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from threading import Thread
from typing import Any


@contextmanager
def peers(count: int, work: Callable[..., object], *arguments: Any) -> Iterator[None]:
    """Run `work(*arguments)` in `count - 1` further processes while the block does the same in this one.

    If one of them dies, all do: the training is run again and resumes.
    """
    if count == 1:
        yield
        return
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "NODE_RANK": "0"}
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(
            target=_peer, args=(meeting | {"LOCAL_RANK": str(rank)}, work, arguments), daemon=True
        )
        for rank in range(1, count)
    ]
    before = dict(os.environ)
    os.environ.update(meeting | {"LOCAL_RANK": "0"})
    try:
        for process in processes:
            process.start()
            Thread(target=_end_with, args=(process.sentinel, process), daemon=True).start()
        yield
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.terminate()
        os.environ.clear()
        os.environ.update(before)


def _peer(environment: dict[str, str], work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    os.environ.update(environment)
    first = multiprocessing.parent_process()
    assert first is not None
    Thread(target=_end_with, args=(first.sentinel, None), daemon=True).start()
    work(*arguments)


def _end_with(sentinel: int, process: Any) -> None:
    """End this process when another one does, unless it ends well."""
    wait([sentinel])
    if process is not None:
        process.join()
        if process.exitcode == 0:
            return
        print("a process of the training died", file=sys.stderr, flush=True)
    os._exit(1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
