"""Manifests: what an artefact is (`content`) and how it came about (`history`).

An artefact `x.ext` has two files beside it:

* `x.manifest.json`, the content: size and sha256 of each file, or of the list of the files of a folder, which lies
  beside that (`repose.provenance.listing`). It is equal for equal results, so Snakemake, which compares small files by
  checksum, re-runs nothing after a touch or a bit-identical rebuild.
* `x.history.json`: the contents that it was made from, their places and histories, parameters, code, seed, software,
  machine, cost, and its own sha256. It belongs to one content, and an edited history is refused.

Every reader refuses an artefact without a matching manifest, either before reading, or file by file while reading.
"""

import hashlib
import json
import os
import platform
import resource
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from repose.errors import ReposeError
from repose.project import making
from repose.provenance import cache
from repose.provenance.form import Content, History, check_form
from repose.provenance.listing import check_file, fingerprint, list_path
from repose.provenance.owner import Owner, owners, results_folder
from repose.provenance.publish import write_text
from repose.reading import read_json

FORMAT = 3
OLDEST = 2  # this version states the same of files, but has no lists of folders
CACHE = ".cache"  # name of the cache of finished results, in a folder of results
FORMER = 32  # number of former histories of a place that are remembered
SOFTWARE = ("repose", "numpy", "torch", "zarr")


@dataclass(frozen=True)
class Manifest:
    """The verified manifest of one artefact."""

    path: Path
    content: dict[str, Any]
    history: dict[str, Any]

    @property
    def digest(self) -> str:
        """The sha256 of the content, which identifies the result wherever it was made."""
        return _digest(self.content)

    @property
    def data(self) -> list[str]:
        """Every file and folder of the artefact, and the lists of those folders."""
        lists = (list_path(Path(name)) for name, stated in self.content["files"].items() if "list" in stated)
        return [*self.content["files"], *map(str, lists)]

    @property
    def artefact(self) -> Path:
        """Its one file or folder; of several, the one for machines, which is named like the manifest."""
        stem = self.path.name.removesuffix(".manifest.json")
        names = [n for n in self.content["files"] if Path(n).stem == stem and Path(n).suffix != ".txt"]
        return self.path.parent / names[0]

    @property
    def names(self) -> list[str]:
        """All names of the artefact, with its manifest last."""
        return [*self.data, history_path(self.path).name, self.path.name]

    @property
    def parents(self) -> dict[str, Path]:
        """The manifests of the inputs by name, relative to the present place of this manifest."""
        return {name: self.path.parent / place for name, place in self.history["parents"].items()}


@dataclass
class Recorder:
    """Collects what `seal` writes to the history. Create it when the work begins.

    Args:
        stage: name of the stage.
        code: hash of the code that runs.
        params: the settings of the stage.
        seed: the seed, if there is one.
        software: versions of the packages that the code imports.
        modules: modules at which the code begins, so that an audit can hash it again.
        inputs: content digests by name; `uses` fills it.
        costs: further measurements, such as the seconds of a training over all its attempts.
    """

    stage: str
    code: str
    params: Mapping[str, Any]
    seed: int | None = None
    software: dict[str, str] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    costs: dict[str, Any] = field(default_factory=dict)
    _parents: dict[str, Path] = field(default_factory=dict)
    _histories: dict[str, str] = field(default_factory=dict)
    _owner: Owner | None = None
    _entry: Path | None = None
    _keep: int = 0
    _wall: float = field(default_factory=time.time)
    _clock: float = field(default_factory=time.perf_counter)

    def uses(self, name: str, manifest: Path, hashed: bool = True) -> Manifest:
        """Verify an input artefact, as `verify` does, and record its content digest."""
        verified = verify(manifest, hashed)
        self.inputs[name] = verified.digest
        self._parents[name] = manifest
        self._histories[name] = verified.history["sha256"]
        return verified

    def own(self, manifest: Path) -> str:
        """Become the only writer of an artefact until it is sealed, and return its place; another writer waits.

        Outside a workflow's folder of results nothing is locked, as nobody else writes there.
        """
        folder, place = results_folder(manifest), place_of(manifest)
        if folder and not self._owner:
            self._owner = Owner(owners(folder) / place.replace("/", ":"), place)
        return place

    def reuse(self, manifest: Path, keep: int = 1) -> bool:
        """Lock an artefact, and restore a finished result with the same key if there is one.

        The key is everything that decides the result: stage, parameters, code, seed, software, and the contents of all
        inputs. So call it after the last `uses`, and only if nothing else is read.

        Args:
            manifest: the manifest of the artefact.
            keep: how many results of this artefact to keep for later; 0: none, and none is restored.

        Returns:
            Whether the artefact is finished.
        """
        place, folder = self.own(manifest), results_folder(manifest)
        if not folder or not keep:
            return False
        self._keep, self._entry = keep, folder / CACHE / place / self.key
        if self._entry.is_dir() and cache.is_forced(self.stage, manifest):
            print(f"{place}: made again, as asked for", flush=True)
            shutil.rmtree(self._entry)
        if not self._entry.is_dir():
            return False
        try:
            finished = verify(self._entry / manifest.name)
        except ReposeError as error:
            print(f"{place}: the result kept for it is damaged and is made again ({error.what})", flush=True)
            shutil.rmtree(self._entry)
            return False
        manifest.unlink(missing_ok=True)
        cache.bring_back(self._entry, finished.data, manifest.parent)
        write_text(history_path(manifest), _canonical(_back_in_place(manifest, finished.history)))
        cache.bring_back(self._entry, [manifest.name], manifest.parent)
        print(f"{place}: finished before with the same settings, code and inputs; brought back", flush=True)
        self.release()
        return True

    @property
    def key(self) -> str:
        """Return the name of everything that decides the result."""
        parts = [self.stage, self.params, self.code, list(self.inputs.items()), self.seed, self._software()]
        return _digest(parts)[:32]

    def _software(self) -> dict[str, str]:
        ours = {name: version(name) for name in SOFTWARE} | {"python": platform.python_version()}
        return dict(sorted((ours | self.software).items()))

    def release(self) -> None:
        """Release the lock for the next writer of the artefact."""
        if self._owner:
            self._owner.release()
            self._owner = None

    def seal(
        self,
        manifest: Path,
        files: Sequence[Path],
        describe: Mapping[str, Any] | None = None,
        known: Mapping[Path, Mapping[str, str]] | None = None,
    ) -> Manifest:
        """Hash finished `files` and write the manifest last.

        Args:
            manifest: `….manifest.json`; files are named relative to its folder.
            files: the files and directories of the artefact, which must be in their places.
            describe: shapes, units and counts that belong to the content.
            known: for folders among `files`, the BLAKE3 of their files, recorded when they were written.
        """
        base = manifest.parent
        prints = {f: fingerprint(f, (known or {}).get(f)) for f in sorted(files)}
        content = {
            "format": FORMAT,
            "stage": self.stage,
            "place": place_of(manifest),
            "files": {str(f.relative_to(base)): found.stated for f, found in prints.items()},
            "describe": dict(describe or {}),
        }
        history = {
            "inputs": dict(sorted(self.inputs.items())),
            "histories": dict(sorted(self._histories.items())),
            # Relative, so that the whole folder of results can be moved.
            "parents": {name: _relative(path, base) for name, path in sorted(self._parents.items())},
            "params": dict(self.params),
            "code": self.code,
            "seed": self.seed,
            "modules": self.modules,
            "software": self._software(),
            "machine": {"host": platform.node(), "system": platform.platform(), "cpus": os.cpu_count()},
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._wall)),
            "seconds": round(time.perf_counter() - self._clock, 3),
            "peak_memory_mib": round(peak_memory_mib(), 1),
            **self.costs,
            "content": _digest(content),
        }
        # As a reader will see it: keys of a mapping become text.
        history = succeeding(json.loads(_canonical(history)), _histories_of(_found(manifest)))
        for path, found in prints.items():
            if found.listing is not None:
                write_text(list_path(path), found.listing)
        write_text(history_path(manifest), _canonical(history))
        write_text(manifest, _canonical(content))
        sealed = Manifest(manifest, content, history)
        if self._entry:
            cache.keep(base, sealed.names, self._entry, self._keep)
        self.release()
        return sealed


def verify(manifest: Path, hashed: bool = True) -> Manifest:
    """Read a manifest and check every file it names against size and sha256.

    Args:
        manifest: its path.
        hashed: False leaves the hashing to readers (`repose.provenance.stated`). What is checked are the lists of
            folders against their sha256, names against the lists, and sizes.

    Raises:
        ReposeError: the manifest is missing, damaged, or does not match the files beside it.
    """
    loaded = load(manifest)
    if results_folder(manifest) and not _is_cached(manifest) and (fault := misplaced(loaded)):
        raise ReposeError(fault, where=manifest, hint=f"remove {manifest} and run again")
    for name, expected in loaded.content["files"].items():
        check_file(manifest, name, expected, hashed)
    return loaded


def misplaced(manifest: Manifest) -> str | None:
    """Return what is wrong with an artefact's place, such as a copy of another artefact; None if nothing is."""
    made_for, lies_at = manifest.content.get("place"), place_of(manifest.path)
    return None if made_for == lies_at else f"is {made_for}, and lies at {lies_at}"


def load(manifest: Path) -> Manifest:
    """Read a manifest and its history without hashing the files it names.

    Raises:
        ReposeError: one of the two is missing, damaged, edited or of another form, or names a file outside its folder.
    """
    what = "the artefact is not finished: no manifest"
    if not manifest.exists():
        raise ReposeError(what, manifest, making(manifest))
    if not history_path(manifest).exists():
        raise ReposeError(what, history_path(manifest), f"remove {manifest} and run again")
    content, history = read_json(manifest), read_json(history_path(manifest))
    if (
        not isinstance(content, dict)
        or content.get("format") not in (OLDEST, FORMAT)
        or "files" not in content
    ):
        raise ReposeError(
            f"not a manifest of format {FORMAT}",
            where=manifest,
            hint="the next run of the workflow makes it again",
        )
    check_form(Content, content, manifest)
    _check_history(manifest, content, history)
    return Manifest(manifest, content, history)


def _check_history(manifest: Path, content: Mapping[str, Any], history: Any) -> None:
    where, hint = history_path(manifest), f"remove {manifest} and run again"
    rest = {k: v for k, v in history.items() if k != "sha256"} if isinstance(history, dict) else {}
    if not rest or history.get("sha256") != _digest(rest):
        raise ReposeError("the history was edited or is damaged", where=where, hint=hint)
    if history.get("content") != _digest(content):
        raise ReposeError("the history is of another result than the manifest", where=where, hint=hint)
    check_form(History, history, where)


def check_link(child: Manifest, name: str, parent: Manifest) -> None:
    """Refuse `child` unless it was made from exactly `parent`."""
    if child.history["inputs"].get(name) != parent.digest:
        raise ReposeError(
            f"was made from another {name} than {parent.path}",
            where=child.path,
            hint="remove it and run again",
        )


def _is_cached(manifest: Path) -> bool:
    folder = results_folder(manifest)
    return folder is not None and manifest.absolute().relative_to(folder).parts[0] == CACHE


def place_of(manifest: Path) -> str:
    """Return the place of an artefact in its folder of results, without a suffix; outside of one, its name."""
    folder = results_folder(manifest)
    return _relative(manifest, folder or manifest.parent).removesuffix(".manifest.json")


def succeeding(history: Mapping[str, Any], former: Sequence[str]) -> dict[str, Any]:
    """Return a history that follows others in its place, with its own digest.

    An artefact may be made again by other code, at another time or from other data, with an equal result. What was made
    from it is not made again then, so the history that was recorded there must still be found.
    """
    rest = _told(history) | {"former": list(dict.fromkeys(former))[-FORMER:]}
    return rest | {"sha256": _digest(rest)}


def _back_in_place(manifest: Path, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the history of a restored result, which follows the history that lies in its place."""
    there = _found(manifest)
    if there and _told(there) == _told(kept):
        return there
    return succeeding(kept, [*_histories_of(kept), *_histories_of(there)])


def _told(history: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in history.items() if key not in ("former", "sha256")}


def _histories_of(history: Mapping[str, Any]) -> list[str]:
    return [*history["former"], history["sha256"]] if history else []


def _found(manifest: Path) -> dict[str, Any]:
    """Return the history in a place; empty if there is none that can be read."""
    try:
        history = read_json(history_path(manifest))
        return history if isinstance(history["former"], list) and history["sha256"] else {}
    except (ReposeError, KeyError, TypeError):
        return {}


def manifest_path(artefact: Path) -> Path:
    """Return the path of the manifest: `a/b.zarr` → `a/b.manifest.json`."""
    return artefact.with_name(artefact.stem + ".manifest.json")


def history_path(manifest: Path) -> Path:
    """Return the path of the history: `b.manifest.json` → `b.history.json`."""
    return manifest.with_name(manifest.name.removesuffix(".manifest.json") + ".history.json")


def peak_memory_mib() -> float:
    """Return the largest resident set of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux ru_maxrss is inherited from the process that started this one
        high = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(high.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, indent=1) + "\n"


def _digest(value: object) -> str:
    return hashlib.sha256(_canonical(value).encode()).hexdigest()
