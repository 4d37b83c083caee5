"""The state of a job, from its manifest, the lock of its writer, and its log."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from repose import specs
from repose.errors import ReposeError
from repose.provenance.manifest import FORMAT, Manifest, Recorder, load, manifest_path, place_of
from repose.provenance.owner import holder, owners
from repose.provenance.process import Process
from repose.status.jobs import Job

Kind = Literal["done", "running", "waiting", "again", "failed"]
TAIL = 1 << 16  # bytes at the end of a log that are read
_PROGRESS = re.compile(r"^.*: (\d+)/(\d+), (\d+) s left(?:, (.*))?$", re.MULTILINE)
_ERROR = re.compile(r"^repose: error: (.*)$", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Progress:
    """The progress that a job reports: items done and in all, seconds left, and a note such as a loss."""

    done: int
    total: int
    left: float
    note: str

    @property
    def rate(self) -> float | None:
        """The items per second; None when it is nearly done."""
        return (self.total - self.done) / self.left if self.left else None


@dataclass(frozen=True)
class State:
    """The state of a job.

    Attributes:
        kind: `done`; `running`; `waiting`, not made yet; `again`, made with other settings, code or inputs; `failed`.
        why: why it must be made again, why it failed, or where it runs.
        seconds: duration of the last time, or running time so far.
        progress: progress of a running job, or of one that was stopped.
        finished: time when it was done, seconds since 1970.
    """

    kind: Kind
    why: str = ""
    seconds: float | None = None
    progress: Progress | None = None
    finished: float | None = None


def states_of(jobs: Mapping[Path, Job], results: Path) -> dict[Path, State]:
    """Return the state of each job; `jobs` must be in the order in which they need each other."""
    made: dict[Path, Manifest | None] = {}
    found: dict[Path, State] = {}
    for out, job in jobs.items():
        made[out] = _manifest(out)
        found[out] = _state(job, made, found, results)
    return found


def scheduler(results: Path) -> Process | None:
    """Return the active run in a folder of results, as far as it can be determined from this machine."""
    found = (holder(file) for file in sorted(owners(results).glob("run:*")))
    return next((process for process in found if process and _lives(process)), None)


def _state(
    job: Job, made: Mapping[Path, Manifest | None], before: Mapping[Path, State], results: Path
) -> State:
    text = _tail(job.log(results.parent))
    progress = _progress(text)
    manifest = made[job.need.out]
    if process := _writer(job, results):
        where = "" if process.is_here else f"on {process.host}"
        return State("running", where, time.time() - process.started, progress)
    if manifest is None:
        if error := _error(text):
            return State("failed", error, progress=progress)
        return State("waiting", _checkpoint(job, made, results), progress=progress)
    seconds = float(manifest.history["seconds"])
    if why := _other(job, manifest, made):
        return State("again", why, seconds)
    if late := next((one for one in job.behind if before[one].kind != "done"), None):
        return State("waiting", f"made before; {late} comes first", seconds)
    return State("done", "", seconds, None, manifest.path.stat().st_mtime)


def _manifest(out: Path) -> Manifest | None:
    return _loaded(manifest_path(out))


def _loaded(manifest: Path) -> Manifest | None:
    try:
        return load(manifest)
    except (ReposeError, OSError):
        return None


def _writer(job: Job, results: Path) -> Process | None:
    """Return the process that writes an artefact now."""
    process = holder(owners(results) / place_of(manifest_path(job.need.out)).replace("/", ":"))
    return process if process and _lives(process) else None


def _lives(process: Process) -> bool:
    return process.alive or not process.is_here  # the state of another machine's process is not known here


def _other(job: Job, manifest: Manifest, made: Mapping[Path, Manifest | None]) -> str:
    """Return what was different when an artefact was made; empty if nothing was."""
    history, spec = manifest.history, job.need.spec
    if manifest.content["format"] != FORMAT:
        return "its manifest is of an older format"
    if job.rule == "rank":
        return _other_scores(job, manifest, made)
    now = json.loads(json.dumps(spec.params))
    if odd := [key for key, value in now.items() if history["params"].get(key) != value]:
        return f"other settings: {', '.join(_differing(history['params'].get(odd[0]), now[odd[0]], odd[0]))}"
    if history["seed"] != spec.seed:
        return "another seed"
    if history["code"] != spec.code:
        return "other code"
    if spec.software.items() - history["software"].items():
        return "other software"
    for name in job.need.watched if job.need.watched is not None else job.need.inputs:
        parent = _manifest_of(job.need.inputs[name], made)
        if parent is not None and history["inputs"].get(name) != parent.digest:
            return f"another {name}"
    return ""


def _other_scores(job: Job, ranking: Manifest, made: Mapping[Path, Manifest | None]) -> str:
    """Return the same of a ranking, which was made from scores that its own job makes, of what the job needs."""
    scores = [found.history for path in ranking.parents.values() if (found := _loaded(path))]
    codes = {ranking.history["code"], *(of["code"] for of in scores)}
    if codes != {specs.ranking({}).code, specs.benchmark_scores({}).code}:
        return "other code"
    scored = {digest for of in scores for digest in of["inputs"].values()}
    for name in job.need.watched or ():
        parent = _manifest_of(job.need.inputs[name], made)
        if parent is not None and parent.digest not in scored:
            return f"another {name}"
    return ""


def _manifest_of(path: Path, made: Mapping[Path, Manifest | None]) -> Manifest | None:
    return made[path] if path in made else _manifest(path)


def _differing(before: Any, now: Any, name: str) -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
        return [one for key in keys[:3] for one in _differing(before.get(key), now.get(key), f"{name}.{key}")]
    return [name]


def _checkpoint(job: Job, made: Mapping[Path, Manifest | None], results: Path) -> str:
    """Return whether a stopped training will resume from a checkpoint, and the time of that checkpoint."""
    if job.rule != "train":
        return ""
    inputs = {name: _manifest_of(path, made) for name, path in job.need.inputs.items()}
    if not all(inputs.values()):
        return ""
    spec = job.need.spec
    digests = {name: manifest.digest for name, manifest in inputs.items() if manifest}
    recorder = Recorder(spec.stage, spec.code, spec.params, spec.seed, spec.software, inputs=digests)
    last = results / ".state" / recorder.key[:16] / "last.ckpt"
    if not last.is_file():
        return ""
    return f"goes on from its checkpoint of {time.strftime('%H:%M', time.localtime(last.stat().st_mtime))}"


def _tail(log: Path) -> str:
    """Return the end of a log; empty if there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - TAIL))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def _progress(text: str) -> Progress | None:
    found = _PROGRESS.findall(text)
    if not found:
        return None
    done, total, left, note = found[-1]
    return Progress(int(done), int(total), float(left), note)


def _error(text: str) -> str:
    """Return the last message of a failed job: its one line, or the end of a traceback."""
    if found := _ERROR.findall(text):
        return str(found[-1])
    return text.rstrip().rpartition("\n")[2] if _TRACEBACK in text else ""
