"""Train on several devices of a machine: one process for each, with averaged gradients (Lightning's DDP).

Lightning would start the whole program again for each device, and each copy would wait for the first, which owns the
artefact. So the processes are started here, and only train.
"""

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from threading import Event, Thread
from typing import Any

from repose.errors import ReposeError


@contextmanager
def peers(count: int, work: Callable[..., object], *arguments: Any) -> Iterator[None]:
    """Run `work(*arguments)` in `count - 1` further processes while the block does the same in this one.

    If one of them dies, all of them end; the training is run again and resumes.
    """
    if count == 1:
        yield
        return
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "NODE_RANK": "0"}
    context, over = multiprocessing.get_context("spawn"), Event()
    processes = [
        context.Process(target=_peer, args=(meeting | {"LOCAL_RANK": str(rank)}, work, arguments))
        for rank in range(1, count)
    ]
    watchers = [Thread(target=_fall_with, args=(process, over), daemon=True) for process in processes]
    before = {name: os.environ.get(name) for name in (*meeting, "LOCAL_RANK")}
    os.environ.update(meeting | {"LOCAL_RANK": "0"})
    try:
        for process, watcher in zip(processes, watchers, strict=True):
            process.start()
            watcher.start()
        yield
        for watcher in watchers:
            watcher.join()
    finally:
        over.set()
        for process in processes:
            if process.pid:
                process.kill()  # it may wait for this process inside a library and ignore a request to end
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _fall_with(process: Any, over: Event) -> None:
    """End this process when a peer fails, for which it would wait forever."""
    wait([process.sentinel])
    process.join()
    if process.exitcode and not over.is_set():
        print(f"a process of the training ended with {process.exitcode}", file=sys.stderr, flush=True)
        os._exit(1)


def _peer(environment: dict[str, str], work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    os.environ.update(environment)
    first = multiprocessing.parent_process()
    assert first is not None
    Thread(target=_end_after, args=(first.sentinel,), daemon=True).start()
    # The first process has the same error, and reports it.
    with suppress(ReposeError):
        work(*arguments)


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
