"""Kill the stages at random and at every write, fill the disk, start two writers; the results must not notice.

    python tests/crash/campaign.py --seeds 200       pipelines that are killed again and again, at random
    python tests/crash/campaign.py --every-write     each stage killed before each of its writes, one after another
    python tests/crash/campaign.py --two-writers     each stage twice at once, one held at a random write
    python tests/crash/campaign.py --two-runs        two whole runs of Snakemake at once, its lock on or off
    python tests/crash/campaign.py --full-disk       each stage on a disk that is too small (root: mounts a tmpfs)

It ends with status 1 at the first artefact that is torn, differs from an undisturbed run, or has two writers.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

from crash.faults import Fault
from crash.project import TARGETS, Job, Sandbox, ended, load_libraries, plan
from tiny.project import Tiny, bring_archive

RAW = "data/raw/faust"
KILLED = -signal.SIGKILL
OLD_POSES = 3  # the older data show other poses


class Failed(AssertionError):
    """The results noticed."""


@dataclass(frozen=True)
class Undisturbed:
    """Two runs that nothing happened to: on older data, and on those of today."""

    jobs: list[Job]
    old: Sandbox  # its raw data are of today, its results are not
    new: Sandbox
    versions: tuple[dict[str, str], dict[str, str]]
    writes: dict[str, int]  # of each job
    seconds: dict[str, float]


def prepare(base: Path) -> Undisturbed:
    """Run everything twice."""
    old, new = Sandbox(base / "old"), Sandbox(base / "new")
    writes, seconds = {}, {}
    for sandbox, bend in ((old, OLD_POSES), (new, 0)):
        sandbox.folder.mkdir()
        bring_archive(sandbox.folder / RAW, bend)
        jobs = plan(sandbox.folder)
        for job in jobs:
            start = time.perf_counter()
            complete(sandbox, job)
            writes[job.name], seconds[job.name] = sandbox.writes(), time.perf_counter() - start
    bring_archive(old.folder / RAW)
    versions = old.contents(), new.contents()
    same = {place for place in versions[0] if versions[0][place] == versions[1][place]}
    expect(
        not same - {"splits/faust/train.manifest.json", "splits/faust/unseen.manifest.json"}, f"same: {same}"
    )
    return Undisturbed(jobs, old, new, versions, writes, seconds)


def expect(holds: bool, otherwise: str) -> None:
    """Fail unless something holds."""
    if not holds:
        raise Failed(otherwise)


def complete(sandbox: Sandbox, job: Job) -> None:
    """Run a job to its end."""
    status = sandbox.run(job)
    expect(status == 0, f"{job.name} ends with status {status}:\n{sandbox.log()[-1500:]}")


def check_pieces(at: Undisturbed, sandbox: Sandbox, job: Job, what: str) -> None:
    """Old or new, never torn."""
    torn = sandbox.torn(at.versions)
    expect(not torn, f"{job.name}, {what}: {torn}")


def check_whole(at: Undisturbed, sandbox: Sandbox) -> None:
    """Everything is as in the undisturbed run, and `recover` finds nothing that later runs would stumble over."""
    from repose.audit.audit import audit
    from repose.provenance.recover import recover

    ours, theirs = (
        {place: digest for place, digest in contents.items() if place != "table1.manifest.json"}
        for contents in (sandbox.contents(), at.versions[1])
    )
    differ = sorted(k for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k))
    expect(not differ, f"differ from an undisturbed run: {differ}")
    expect(sandbox.table().equals(at.new.table()), "the table differs from that of an undisturbed run")
    faults = audit(sandbox.results / "table1.csv", None, False).faults
    expect(not faults, f"audit: {faults}")
    recover(sandbox.results)
    expect(not sandbox.leftovers(), f"left behind: {sandbox.leftovers()}")


@contextmanager
def copy_of(sandbox: Sandbox, base: Path):
    """A sandbox to spoil."""
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Sandbox(shutil.copytree(sandbox.folder, Path(folder) / "p", symlinks=True))


def undo(at: Undisturbed, sandbox: Sandbox, jobs: list[Job], draw: random.Random) -> None:
    """For each of the jobs, put the older version of what it makes in its place, or none."""
    for job in jobs:
        sandbox.undo(job, at.old if draw.random() < 0.5 else None)


def some(at: Undisturbed, draw: random.Random, count: int) -> list[Job]:
    """Some of the jobs, in order; the two jobs that share a folder go together."""
    chosen = {job.name for job in draw.sample(at.jobs, min(count, len(at.jobs)))}
    if any(name.startswith("gih") for name in chosen):
        chosen |= {job.name for job in at.jobs if job.name.startswith("gih")}
    return [job for job in at.jobs if job.name in chosen]


def killed_at_random(at: Undisturbed, base: Path, seed: int, count: int) -> Counter[str]:
    """Undo some of a run and make it again, each job killed once or twice; returns what happened."""
    draw, happened = random.Random(seed), Counter[str]()
    jobs = some(at, draw, count)
    with copy_of(at.new, base) as sandbox:
        undo(at, sandbox, jobs, draw)
        for job in jobs:
            for _ in range(draw.choice([1, 1, 2])):
                if draw.random() < 0.5:
                    sandbox.delete_outputs(job)
                what = _kill(sandbox, job, draw, at)
                happened[what] += 1
                check_pieces(at, sandbox, job, f"seed {seed}, {what}")
            if draw.random() < 0.5:
                sandbox.delete_outputs(job)
            complete(sandbox, job)
        complete(sandbox, at.jobs[-1])
        check_whole(at, sandbox)
    return happened


def _kill(sandbox: Sandbox, job: Job, draw: random.Random, at: Undisturbed) -> str:
    if draw.random() < 0.3:
        sandbox.run(job, seconds=draw.uniform(0, at.seconds[job.name]))
        return "killed at a moment"
    fault = Fault(draw.randrange(at.writes[job.name]), tear=draw.random() < 0.5)
    status = sandbox.run(job, fault)
    expect(status in (KILLED, 0), f"{job.name} ends with status {status}:\n{sandbox.log()[-1500:]}")
    return "killed at a write" if status == KILLED else "ended before the write"


def killed_at_every_write(at: Undisturbed, base: Path) -> Counter[str]:
    """Each stage, on older results: killed before each write, then completed."""
    happened = Counter[str]()
    with copy_of(at.old, base) as behind:
        for job in at.jobs:
            for write in range(at.writes[job.name]):
                with copy_of(behind, base) as sandbox:
                    fault = Fault(write, tear=True)
                    happened["killed at a write"] += sandbox.run(job, fault) == KILLED
                    check_pieces(at, sandbox, job, f"write {write}")
                    complete(sandbox, job)
                    contents = sandbox.contents()
                    for manifest in job.manifests:
                        place = str(Path(manifest).relative_to("results"))
                        same = contents[place] == at.versions[1][place] or place == "table1.manifest.json"
                        expect(same, f"{job.name}, write {write}: {place} differs from an undisturbed run")
            complete(behind, job)
            print(f"{job.name}: {at.writes[job.name]} writes", flush=True)
        check_whole(at, behind)
    return happened


def two_writers(at: Undisturbed, base: Path, seed: int) -> Counter[str]:
    """Each job twice at once: the first is held at a random write, the second must not write until the first ends."""
    draw, happened = random.Random(seed), Counter[str]()
    with copy_of(at.new, base) as sandbox:
        undo(at, sandbox, at.jobs, draw)
        for job in at.jobs:
            first = sandbox.start(job, Fault(draw.randrange(1, at.writes[job.name]), stop=True))
            _, status = os.waitpid(first, os.WUNTRACED)
            held = os.WIFSTOPPED(status)
            before = _state(sandbox)
            second = sandbox.start(job)
            if held:
                happened["second " + _goes_on(second, at.seconds[job.name])] += 1
                owned = first in _owning(
                    sandbox
                )  # one held before it asks owns nothing, and the second may write
                happened["first held as owner"] += owned
                expect(not owned or before == _state(sandbox), f"{job.name}, seed {seed}: two writers")
                os.kill(first, signal.SIGKILL if draw.random() < 0.5 else signal.SIGCONT)
                status = os.waitpid(first, 0)[1]
                happened["first killed" if os.WIFSIGNALED(status) else "first went on"] += 1
            status = ended(second)
            expect(status == 0, f"{job.name}, seed {seed}: status {status}:\n{sandbox.log()[-1500:]}")
            check_pieces(at, sandbox, job, f"two writers, seed {seed}")
        check_whole(at, sandbox)
    return happened


def _goes_on(process: int, seconds: float) -> str:
    end = time.monotonic() + 2 * seconds
    while time.monotonic() < end:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        if fields[0] == "Z":
            return "ended"
        if "flock" in Path(f"/proc/{process}/wchan").read_text():
            return "waits"
        time.sleep(0.02)
    return "waits"


def _owning(sandbox: Sandbox) -> set[int]:
    """The processes that have written themselves down as owners."""
    from repose.provenance.owner import holder, owners

    found = map(holder, owners(sandbox.results).iterdir())
    return {process.pid for process in found if process}


def _state(sandbox: Sandbox) -> dict[str, tuple[int, int]]:
    """Every file of the results, by inode and time; owners' files are opened by whoever waits."""
    found = {}
    for path in sandbox.results.rglob("*"):
        if path.is_file() and "owners" not in path.parts:
            status = path.stat()
            found[str(path)] = (status.st_ino, status.st_mtime_ns)
    return found


def two_runs(at: Undisturbed, base: Path, seed: int) -> Counter[str]:
    """Two schedulers from nothing, the second a random moment later; Snakemake's own lock is off for even seeds."""
    draw, happened = random.Random(seed), Counter[str]()
    options = ["--nolock"] if seed % 2 == 0 else []
    with copy_of(at.new, base) as sandbox:
        for job in at.jobs:
            sandbox.undo(job, None)
        project = Tiny(sandbox.folder)
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *options, "--", *TARGETS]
        schedulers = []
        for number in range(2):
            with (sandbox.folder / f"out{number}").open("w") as out:
                process = subprocess.Popen(
                    command,
                    cwd=sandbox.folder,
                    env=project.environment,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            schedulers.append(process)
            time.sleep(draw.uniform(0, 20) if number == 0 else 0)
        happened.update(_how_it_ended(process.wait()) for process in schedulers)
        torn = sandbox.torn(at.versions)
        expect(not torn, f"two runs, seed {seed}: {torn}")
        project.snakemake("--rerun-incomplete", *TARGETS)
        check_whole(at, sandbox)
    return happened


def _how_it_ended(status: int) -> str:
    expect(status in (0, 1), f"a run ends with status {status}")
    return "run stopped by the other" if status else "run completed beside another"


def full_disk(at: Undisturbed, base: Path, seed: int) -> Counter[str]:
    """Each stage on a disk with too little room, then with more."""
    draw, happened = random.Random(seed), Counter[str]()
    mount = base / "disk"
    mount.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(mount)], check=True)
    try:
        with copy_of(at.new, mount) as sandbox:
            undo(at, sandbox, at.jobs, draw)
            for job in at.jobs:
                used = shutil.disk_usage(mount).used
                for room in (0, draw.randrange(1, 40), draw.randrange(1, 200)):
                    _resize(mount, used // 1024 + 4 * room)
                    status = sandbox.run(job)
                    last = sandbox.log().strip().splitlines()[-1:]
                    expect(
                        status in (0, 1),
                        f"{job.name}, seed {seed}: status {status}:\n{sandbox.log()[-1500:]}",
                    )
                    says = "No space left" in "".join(last)
                    expect(status == 0 or says, f"{job.name}, seed {seed}: says {last}")
                    happened["no room" if status else "enough room"] += 1
                    check_pieces(at, sandbox, job, f"full disk, seed {seed}")
                    if status == 0:
                        break
                _resize(mount, 64 * 1024)
                complete(sandbox, job)
            check_whole(at, sandbox)
    finally:
        subprocess.run(["umount", str(mount)], check=True)
    return happened


def _resize(mount: Path, kib: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kib}k", str(mount)], check=True)


def repeat(
    what: Callable[[Undisturbed, Path, int], Counter[str]], at: Undisturbed, base: Path, seeds: range
) -> Counter[str]:
    """One after another."""
    happened = Counter[str]()
    for seed in seeds:
        happened += what(at, base, seed)
        print(f"seed {seed}: {happened.total()} faults so far", flush=True)
    return happened


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=0, metavar="N")
    parser.add_argument(
        "--jobs", type=int, default=99, metavar="N", help="of each seed; the others stay as they are"
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first seed, to see one again")
    parser.add_argument("--every-write", action="store_true")
    parser.add_argument("--two-writers", type=int, default=0, metavar="N")
    parser.add_argument("--two-runs", type=int, default=0, metavar="N")
    parser.add_argument("--full-disk", type=int, default=0, metavar="N")
    options = parser.parse_args()
    load_libraries()
    with tempfile.TemporaryDirectory(prefix="repose-crash-") as folder:
        base, first = Path(folder), options.first
        try:
            at = prepare(base)
            happened = repeat(
                partial(killed_at_random, count=options.jobs), at, base, range(first, first + options.seeds)
            )
            happened += repeat(two_writers, at, base, range(first, first + options.two_writers))
            happened += repeat(two_runs, at, base, range(first, first + options.two_runs))
            happened += repeat(full_disk, at, base, range(first, first + options.full_disk))
            if options.every_write:
                happened += killed_at_every_write(at, base)
        except Failed as failure:
            sys.exit(f"campaign: {failure}")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    counts = ", ".join(f"{count} {what}" for what, count in sorted(happened.items()))
    print(f"{counts}; {sum(u.ru_utime + u.ru_stime for u in used):.0f} CPU-seconds")


if __name__ == "__main__":
    main()
