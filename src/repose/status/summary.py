"""All jobs of a run together: how many are done, the speed, and the time that the rest may take."""

import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from repose.status.jobs import ORDER, Job
from repose.status.state import Kind, State

HOUR = 3600
LISTED = 20  # number of jobs of one kind that are named


@dataclass(frozen=True)
class Stage:
    """The jobs of one rule.

    Attributes:
        counts: number of jobs of each kind.
        each: median seconds of one job; None if none was made yet.
        left: total seconds of the others, as far as they are known.
        unknown: number of jobs whose duration is not known.
    """

    rule: str
    counts: dict[str, int]
    each: float | None
    left: float
    unknown: int


@dataclass(frozen=True)
class Summary:
    """The state of a run.

    Attributes:
        stages: stages in their order.
        left: seconds that the rest takes with as many parallel jobs as now, or one.
        beside: number of parallel jobs.
        lately: number of jobs that were finished in the last hour.
    """

    stages: list[Stage]
    left: float
    beside: int
    lately: int

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of jobs of each kind."""
        return {kind: sum(stage.counts[kind] for stage in self.stages) for kind in get_args(Kind)}


def summarize(jobs: Mapping[Path, Job], states: Mapping[Path, State]) -> Summary:
    """Count jobs and estimate what is left: a job takes as long as others of its method, or of its rule, did."""
    known = _known(jobs, states)
    stages = []
    for rule in ORDER:
        mine = {out: states[out] for out, job in jobs.items() if job.rule == rule}
        if mine:
            left = [_left(jobs[out], state, known) for out, state in mine.items() if state.kind != "done"]
            seconds = known.get((rule, ""))
            counts = {kind: sum(s.kind == kind for s in mine.values()) for kind in get_args(Kind)}
            each = statistics.median(seconds) if seconds else None
            stages.append(Stage(rule, counts, each, sum(s for s in left if s is not None), left.count(None)))
    beside = max(1, sum(state.kind == "running" for state in states.values()))
    now = time.time()
    lately = sum(state.finished is not None and now - state.finished < HOUR for state in states.values())
    return Summary(stages, sum(stage.left for stage in stages) / beside, beside, lately)


def as_json(jobs: Mapping[Path, Job], states: Mapping[Path, State], found: Summary) -> dict[str, Any]:
    """Return all of it as plain data."""
    plain = [
        {"rule": job.rule, "name": job.name, "artefact": str(out), **asdict(states[out])}
        for out, job in jobs.items()
    ]
    return asdict(found) | {"counts": found.counts, "jobs": plain}


def lines(jobs: Mapping[Path, Job], states: Mapping[Path, State], found: Summary) -> Iterator[str]:
    """Yield the printed lines: plain text, the same on a terminal, through ssh and in a file."""
    counts = found.counts
    total = sum(counts.values())
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count and kind != "done")
    yield f"{counts['done']} of {_jobs(total)} done{f'; {said}' if said else ''}"
    yield ""
    yield f"{'stage':<14}{''.join(f'{kind:>9}' for kind in counts)}{'each':>10}{'left':>12}"
    for stage in found.stages:
        numbers = "".join(f"{stage.counts[kind] or '':>9}" for kind in counts)
        each = "" if stage.each is None else duration(stage.each)
        left = (
            f"{duration(stage.left)}{' +?' if stage.unknown else ''}" if stage.left or stage.unknown else ""
        )
        yield f"{stage.rule:<14}{numbers}{each:>10}{left:>12}".rstrip()
    for kind in ("running", "failed", "again"):
        yield from _listed(kind, [(jobs[out], state) for out, state in states.items() if state.kind == kind])
    ended = [(jobs[out], s) for out, s in states.items() if s.kind == "waiting" and (s.progress or s.why)]
    yield from _listed("waiting", [(job, s) for job, s in ended if job.rule == "train"])
    yield ""
    yield _end(found, total)


def duration(seconds: float) -> str:
    """Return seconds, minutes or hours in a readable form."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / HOUR:.1f} h"


def _end(found: Summary, total: int) -> str:
    if found.counts["done"] == total:
        return "everything is done"
    unknown = sum(stage.unknown for stage in found.stages)
    how = f"{found.beside} at a time" if found.beside > 1 else "one at a time"
    known = [f"about {duration(found.left)}, {how}"] if found.left or not unknown else []
    more = [f"{_jobs(unknown)} of a kind not made here yet, whose time is not known"] if unknown else []
    return f"{_jobs(found.lately)} finished in the last hour; left: {', and '.join([*known, *more])}"


def _jobs(number: int) -> str:
    return f"{number} job{'' if number == 1 else 's'}"


def _listed(kind: str, some: list[tuple[Job, State]]) -> Iterator[str]:
    if some:
        yield ""
        yield kind
    for job, state in some[:LISTED]:
        parts = [_progress(state), state.why]
        if kind == "running" and state.seconds is not None:
            parts.append(f"for {duration(state.seconds)}")
        yield f"  {job.rule} {job.name}: {', '.join(part for part in parts if part)}"
        if kind == "failed":
            yield f"    {job.log(Path())}"
    if len(some) > LISTED:
        yield f"  and {len(some) - LISTED} more"


def _progress(state: State) -> str:
    at = state.progress
    if at is None:
        return ""
    said = f"{at.done}/{at.total} ({at.done / max(1, at.total):.0%})"
    if state.kind != "running":
        return f"ended at {said}"
    rate = f", {at.rate:.3g} a second" if at.rate else ""
    return f"{said}{rate}, {duration(at.left)} left{f', {at.note}' if at.note else ''}"


def _known(jobs: Mapping[Path, Job], states: Mapping[Path, State]) -> dict[tuple[str, str], list[float]]:
    """Return the seconds of jobs that are done, or nearly: by rule and method, and by rule under no method."""
    found: dict[tuple[str, str], list[float]] = {}
    for out, job in jobs.items():
        state = states[out]
        seconds = state.seconds
        if state.kind == "running":
            seconds = (seconds or 0) + state.progress.left if state.progress else None
        if seconds is not None:
            for method in {job.names.get("method", ""), ""}:
                found.setdefault((job.rule, method), []).append(seconds)
    return found


def _left(job: Job, state: State, known: Mapping[tuple[str, str], list[float]]) -> float | None:
    """Return the seconds that a job still takes; None if nothing is known about it."""
    if state.kind == "running" and state.progress:
        return state.progress.left
    seconds = known.get((job.rule, job.names.get("method", ""))) or known.get((job.rule, ""))
    if not seconds:
        return None
    ran = state.seconds or 0 if state.kind == "running" else 0
    return max(0.0, statistics.median(seconds) - ran)
