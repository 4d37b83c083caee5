"""Manifests: what an artefact is (`content`) and how it came about (`history`).

Beside an artefact `x.ext` stand two files:

* `x.manifest.json`, the content: size and sha256 of each file. It is equal for equal results, so Snakemake,
  which compares small files by checksum, re-runs nothing after a touch or a bit-identical rebuild.
* `x.history.json`: the contents it was made from, parameters, code, seed, software, machine, cost.

An artefact without a matching manifest is refused by every reader.
"""

import hashlib
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from repose.errors import ReposeError
from repose.provenance.publish import write_text

FORMAT = 1
SOFTWARE = ("repose", "numpy", "torch", "zarr")
_UNHASHED = {".snakemake_timestamp"}  # snakemake writes it into directory outputs


@dataclass(frozen=True)
class Manifest:
    """The verified manifest of one artefact."""

    path: Path
    content: dict[str, Any]
    history: dict[str, Any]

    @property
    def digest(self) -> str:
        """sha256 of the content: the name of the result, wherever it was made."""
        return _sha256(_canonical(self.content).encode())


@dataclass
class Recorder:
    """Collects what `seal` writes to the history. Make it when the work begins.

    Args:
        stage: name of the stage.
        code: hash of the code that does the work.
        params: the settings it follows.
        seed: the seed, where there is one.
        inputs: content digests by name; `uses` fills it.
        costs: further measurements, such as the seconds of a training over all its attempts.
    """

    stage: str
    code: str
    params: Mapping[str, Any]
    seed: int | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    costs: dict[str, Any] = field(default_factory=dict)
    _wall: float = field(default_factory=time.time)
    _clock: float = field(default_factory=time.perf_counter)

    def uses(self, name: str, manifest: Path) -> Manifest:
        """Verify an input artefact and note its content digest."""
        verified = verify(manifest)
        self.inputs[name] = verified.digest
        return verified

    def seal(
        self, manifest: Path, files: Sequence[Path], describe: Mapping[str, Any] | None = None
    ) -> Manifest:
        """Hash finished `files` and write the manifest last.

        Args:
            manifest: `….manifest.json`; files are named relative to its folder.
            files: the files and directories of the artefact, already in their place.
            describe: shapes, units and counts that belong to the content.
        """
        base = manifest.parent
        content = {
            "format": FORMAT,
            "stage": self.stage,
            "files": {str(f.relative_to(base)): _fingerprint(f) for f in sorted(files)},
            "describe": dict(describe or {}),
        }
        history = {
            "inputs": dict(sorted(self.inputs.items())),
            "params": dict(self.params),
            "code": self.code,
            "seed": self.seed,
            "software": {name: version(name) for name in SOFTWARE} | {"python": platform.python_version()},
            "machine": _machine(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._wall)),
            "seconds": round(time.perf_counter() - self._clock, 3),
            "peak_memory_mib": round(peak_memory_mib(), 1),
            **self.costs,
        }
        write_text(history_path(manifest), _canonical(history))
        write_text(manifest, _canonical(content))
        return Manifest(manifest, content, history)


def verify(manifest: Path) -> Manifest:
    """Read a manifest and check every file it names against size and sha256.

    Raises:
        ReposeError: the manifest is missing, damaged, or does not match the files beside it.
    """
    loaded = load(manifest)
    for name, expected in loaded.content["files"].items():
        artefact = manifest.parent / name
        if not artefact.exists():
            raise ReposeError(
                f"{name} is missing but its manifest {manifest.name} is there",
                where=artefact,
                hint=f"remove {manifest} and run again",
            )
        if _fingerprint(artefact) != expected:
            raise ReposeError(
                f"{name} does not match its manifest", where=artefact, hint=f"remove {manifest} and run again"
            )
    return loaded


def load(manifest: Path) -> Manifest:
    """Read a manifest and its history without hashing the files it names."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        history = json.loads(history_path(manifest).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReposeError(
            "the artefact is not finished: no manifest", where=error.filename, hint="run the workflow again"
        ) from None
    except ValueError as error:
        raise ReposeError(
            f"damaged manifest: {error}", where=manifest, hint="remove it and run again"
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or "files" not in content:
        raise ReposeError(
            f"not a manifest of format {FORMAT}", where=manifest, hint="remove it and run again"
        )
    return Manifest(manifest, content, history)


def check_link(child: Manifest, name: str, parent: Manifest) -> None:
    """Refuse `child` unless it was made from exactly `parent`."""
    if child.history["inputs"].get(name) != parent.digest:
        raise ReposeError(
            f"was made from another {name} than {parent.path}",
            where=child.path,
            hint="remove it and run again",
        )


def manifest_path(artefact: Path) -> Path:
    """`a/b.zarr` → `a/b.manifest.json`."""
    return artefact.with_name(artefact.stem + ".manifest.json")


def history_path(manifest: Path) -> Path:
    """`b.manifest.json` → `b.history.json`."""
    return manifest.with_name(manifest.name.removesuffix(".manifest.json") + ".history.json")


def peak_memory_mib() -> float:
    """Largest resident set of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux hands ru_maxrss down from the process that started this one
        high = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(high.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _fingerprint(path: Path) -> dict[str, Any]:
    """Size and sha256 of a file; of a directory, those of its sorted list of files."""
    if not path.is_dir():
        with path.open("rb") as stream:
            return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}
    digest, total = hashlib.sha256(), 0
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(set(names) - _UNHASHED):
            file = Path(folder) / name
            entry = _fingerprint(file)
            total += entry["bytes"]
            digest.update(f"{file.relative_to(path).as_posix()}\0{entry['sha256']}\n".encode())
    return {"bytes": total, "sha256": digest.hexdigest()}


def _machine() -> dict[str, Any]:
    return {"host": platform.node(), "system": platform.platform(), "cpus": os.cpu_count()}


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, indent=1) + "\n"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
