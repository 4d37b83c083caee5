"""A cache of finished results under `results/.cache`, keyed by everything that decides them.

Snakemake plans everything behind a job that runs, and deletes a job's outputs before it starts, even if its inputs turn
out unchanged. Such a job finds its result here, as hard links, so that a result in its place takes no disk space a
second time. It is hashed before it is used again.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from repose.provenance.publish import publish

FORCED = "REPOSE_FORCED"  # what the user forces a run to make again: names of rules, files, or "*"


def is_forced(stage: str, manifest: Path) -> bool:
    """Return whether the user forced an artefact to be made again, by its rule or by a file of its folder."""
    names = json.loads(os.environ.get(FORCED, "[]"))
    files = [Path(name) for name in names if "/" in name]
    return (
        "*" in names or stage in names or any(f.resolve().parent == manifest.resolve().parent for f in files)
    )


def keep(base: Path, names: Sequence[str], entry: Path, many: int) -> None:
    """Keep files and folders `names` of `base` as `entry`, and delete all but the `many` newest entries beside it."""
    with publish(entry, keep=True) as private:
        for name in names:
            _link(base / name, private / name)
    by_age = sorted(entry.parent.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in [p for p in by_age if p != entry and not p.name.startswith(".")][many - 1 :]:
        shutil.rmtree(old)


def bring_back(entry: Path, names: Sequence[str], base: Path) -> None:
    """Put the content of `entry` into its place, in the order of `names`."""
    for name in names:
        with publish(base / name) as private:
            _link(entry / name, private)
            os.utime(private)
    os.utime(entry)


def _link(source: Path, target: Path) -> None:
    """Link a file or folder under another name, or copy it if the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link_file)
    else:
        _link_file(source, target)


def _link_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
