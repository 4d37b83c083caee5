"""Many damaged inputs for one reader, each in a forked child with a bound on memory and time.

A reader may give a result, or raise a `ReposeError` of one line. Everything else is a find: another exception, a line
that is none, a signal, more memory or time than the bounds.
"""

import mmap
import os
import random
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.mutate import mutated
from fuzz.reader import Reader

from repose.errors import ReposeError

SECONDS, MEMORY = 20, 4 << 30
LONGEST = 3000  # characters of an error, paths and hints included
BATCH = 200  # inputs of one child
_ROOM = 8 << 20


@dataclass
class Found:
    """How often each outcome came, and the smallest input of every one that must not be."""

    counts: Counter[str] = field(default_factory=Counter)
    smallest: dict[str, bytes] = field(default_factory=dict)

    def add(self, outcome: str, data: bytes) -> None:
        """Count an outcome."""
        self.counts[outcome] += 1
        if outcome not in ("result", "refused"):
            self.smallest[outcome] = min(self.smallest.get(outcome, data), data, key=len)


def drawn(reader: Reader, seeds: list[bytes], count: int, seed: str) -> Iterator[bytes]:
    """Damaged inputs; the same seed draws the same."""
    change = reader.change or (lambda draw, seeds: mutated(draw, seeds, reader.text))
    for number in range(count):
        yield change(random.Random(f"{reader.name}/{seed}/{number}"), seeds)


def run(reader: Reader, inputs: Iterable[bytes], folder: Path) -> Found:
    """Read every input."""
    found, waiting = Found(), list(inputs)
    current = mmap.mmap(-1, _ROOM)  # what the child is at, in case that it dies
    while waiting:
        batch = waiting[:BATCH]
        receive, send = os.pipe()
        child = os.fork()
        if not child:
            os.close(receive)
            _child(reader, batch, folder, current, send)
        os.close(send)
        done = 0
        with os.fdopen(receive, encoding="utf-8") as lines:
            for line in lines:
                found.add(line.rstrip("\n"), batch[done])
                done += 1
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if done < len(batch):
            ended = "hangs" if status == -signal.SIGALRM else f"dies of signal {-status}"
            found.add(ended, batch[done])
            done += 1
        waiting = waiting[done:]
    return found


def _child(reader: Reader, batch: list[bytes], folder: Path, current: mmap.mmap, send: int) -> None:
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # also ends what never comes back to Python
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * mmap.PAGESIZE + MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for data in batch:
            signal.alarm(SECONDS)
            outcome = outcome_of(reader, data, folder)
            signal.alarm(0)
            os.write(send, f"{outcome}\n".encode())
    finally:
        os._exit(0)


def outcome_of(reader: Reader, data: bytes, folder: Path) -> str:
    """`result`, `refused`, or what must not be."""
    try:
        reader.read(data, folder)
    except ReposeError as error:
        text = str(error)
        is_line = text.isprintable() and 0 < len(text) < LONGEST
        return "refused" if is_line else f"an error of {len(text)} characters that is no line"
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "/src/repose/" in f.filename] or frames
        return f"{type(error).__name__} at {ours[-1].filename.split('/src/')[-1]}:{ours[-1].lineno}"
    return "result"
