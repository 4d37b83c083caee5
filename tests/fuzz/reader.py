"""What is fuzzed: a reader of repose, sound files for it, and how they are damaged."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

Change = Callable[[random.Random, list[bytes]], bytes]


@dataclass(frozen=True)
class Reader:
    """What is fuzzed.

    Attributes:
        name: in the table.
        seeds: makes sound files; may leave what the reader needs beside them in the folder.
        read: reads one, and checks what it gives.
        text: whether lines and tokens are damaged, too.
        change: damages a file in a way of its own.
    """

    name: str
    seeds: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], None]
    text: bool = False
    change: Change | None = None


def by_path(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], None]:
    """How to read what is given a path."""

    def read_written(data: bytes, folder: Path) -> None:
        (folder / name).write_bytes(data)
        read(folder / name)

    return read_written


def lazy(module: str, name: str, *arguments: object) -> Callable[[Path], object]:
    """A function of repose that is imported when it is called."""
    return lambda path: getattr(import_module(module), name)(path, *arguments)
