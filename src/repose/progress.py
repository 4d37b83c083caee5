"""Progress of long work: a bar on a terminal, a plain line every few seconds in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

T = TypeVar("T")
INTERVAL_S = 10.0


class Meter:
    """Shows the progress of a piece of work.

    Use it as a context manager and call `to(done, note)`; `note` is short text such as a loss.
    """

    def __init__(self, label: str, total: int):
        self.label, self.total, self._done = label, total, 0
        self._start = self._said = time.monotonic()
        self._first: tuple[float, int] | None = None  # when work was first reported, after any loading
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task(self.label, total=self.total, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        elif kind is None:
            seconds = time.monotonic() - self._start
            print(f"{self.label}: {self._done} done in {seconds:.1f} s", file=sys.stderr, flush=True)

    def to(self, done: int, note: str = "") -> None:
        """Report that `done` of `total` are finished."""
        self._done = done
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, note=note)
            return
        now = time.monotonic()
        self._first = self._first or (now, done)
        if now - self._said >= INTERVAL_S and done > self._first[1]:
            self._said = now
            left = (now - self._first[0]) / (done - self._first[1]) * (self.total - done)
            tail = f", {note}" if note else ""
            print(f"{self.label}: {done}/{self.total}, {left:.0f} s left{tail}", file=sys.stderr, flush=True)


def track(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yield `items` and show the progress."""
    with Meter(label, total) as meter:
        for done, item in enumerate(items, 1):
            yield item
            meter.to(done)
