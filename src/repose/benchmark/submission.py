"""A submitted folder, read without trusting any of it, and refused with one line if it breaks a rule.

my-method/card.yaml
my-method/predictions/<triple_id>.npz   one array `vertices`, (V, 3) float32 or float64, metres
my-method/predictions/<triple_id>.obj   instead: its `v` lines, in the order of the identity's file
my-method/SHA256SUMS                    of the card and of every prediction, as `sha256sum` writes them
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.benchmark.card import Card, read_card
from repose.benchmark.lists import List
from repose.errors import ReposeError
from repose.mesh.formats.obj import parse_obj
from repose.reading import read_bytes, read_npz, read_text

CARD, SUMS, FOLDER = "card.yaml", "SHA256SUMS", "predictions"
# a file may have so many times the size of its vertices, for other content that is named when it is refused
BESIDE = 10
LINE = 200  # most bytes of a line of an .obj
_SUM = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_SEED = re.compile(r"seed(\d{1,6})")

Vertices = NDArray[np.floating]


@dataclass(frozen=True)
class Submission:
    """A submission of one seed.

    Attributes:
        folder: path of the folder.
        card: its card.
        seed: its seed, by the name of its folder; 0 if the name states none.
        sums: sha256 of its SHA256SUMS, which identifies its whole content.
        predictions: (V, 3) metres by the id of the triple, in the order of the identity's file.
    """

    folder: Path
    card: Card
    seed: int
    sums: str
    predictions: Mapping[str, Vertices]


def folders_of(path: Path) -> list[Path]:
    """Return the submissions in a folder: itself, or its `seed0`, `seed1`, …

    Raises:
        ReposeError: there is none.
    """
    if not path.is_dir():
        raise ReposeError("no such folder", path)
    if (path / CARD).exists():
        return [path]
    seeds = sorted((p for p in path.iterdir() if _SEED.fullmatch(p.name)), key=lambda p: int(p.name[4:]))
    if not seeds:
        raise ReposeError(f"no {CARD}", path, "`repose submit init` writes one to fill in")
    return seeds


def read_submission(folder: Path, listing: List, counts: Mapping[str, int], hashes: str) -> Submission:
    """Read and check a whole folder; if any part is malformed, nothing is used.

    Args:
        folder: card, predictions and sums.
        listing: the local list.
        counts: number of vertices of the identity of each triple, by id.
        hashes: sha256 of the list's file of mesh hashes.

    Raises:
        ReposeError: states what is wrong, where, and what to do.
    """
    _check_entries(folder)
    card = read_card(folder / CARD)
    check_list(card, listing, hashes, folder / CARD)
    files = _predictions(folder, card, listing)
    sums = _checked_sums(folder, [CARD, *(f"{FOLDER}/{file.name}" for file in files.values())])
    predictions = {name: _vertices(file, counts[name]) for name, file in files.items()}
    seed = _SEED.fullmatch(folder.absolute().name)
    return Submission(folder, card, int(seed[1]) if seed else 0, sums, predictions)


def check_list(card: Card, listing: List, hashes: str, where: Path) -> None:
    """Refuse a card of another list than the local one."""
    said = card.list
    if (said.dataset, said.name) != (listing.dataset, listing.name):
        raise ReposeError(
            f"is of list {said.dataset}/{said.name}, not {listing.dataset}/{listing.name}", where
        )
    if said.sha256 != listing.sha256:
        raise ReposeError(
            f"list {said.dataset}/{said.name} of sha256 {said.sha256[:12]}… is unknown: the one here is "
            f"{listing.sha256[:12]}…", where, "`repose submit init` hands out the inputs of that one",
        )  # fmt: skip
    if said.meshes_sha256 != hashes:
        raise ReposeError(
            "the list is of other meshes than those here", where, "`repose submit init` hands out these"
        )


def _predictions(folder: Path, card: Card, listing: List) -> dict[str, Path]:
    """Return the file of each triple, in the order of the list."""
    found: dict[str, Path] = {}
    for entry in _entries(folder / FOLDER):
        triple, suffix = os.path.splitext(entry.name)
        if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
            raise ReposeError("a link or folder, not a file", entry.path, "put the file itself there")
        if triple not in listing.by_id or suffix not in (".npz", ".obj"):
            raise ReposeError(
                "its name is no triple of the list",
                entry.path,
                "files are <triple_id>.npz or <triple_id>.obj",
            )
        if triple in found:
            raise ReposeError(f"{triple} has two files", folder / FOLDER, "remove one")
        if triple in card.failed:
            raise ReposeError(f"{triple} is named under `failed`, and has a file", entry.path, "remove one")
        found[triple] = Path(entry.path)
    if odd := [triple for triple in card.failed if triple not in listing.by_id]:
        raise ReposeError(f"failed: {odd[0]!r} is no triple of the list", folder / CARD)
    if missing := [t for t in listing.by_id if t not in found and t not in card.failed]:
        raise ReposeError(
            f"{missing[0]} is missing, one of {len(missing)}", folder / FOLDER,
            f"predict it, or name it under `failed` in {CARD}",
        )  # fmt: skip
    return {triple: found[triple] for triple in listing.by_id if triple in found}


def _check_entries(folder: Path) -> None:
    for entry in _entries(folder):
        if entry.is_symlink():
            raise ReposeError("a link", entry.path, "put the file itself there")
        if entry.name not in ([FOLDER] if entry.is_dir() else [CARD, SUMS]):
            raise ReposeError(
                "does not belong to a submission", entry.path, f"it has {CARD}, {FOLDER}/ and {SUMS}"
            )


def _entries(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", folder) from None


def _checked_sums(folder: Path, names: list[str]) -> str:
    """Return the sha256 of SHA256SUMS, which must match exactly these files."""
    path, hint = folder / SUMS, f"in the folder: sha256sum {CARD} {FOLDER}/* > {SUMS}"
    if not path.is_file():
        raise ReposeError(f"no {SUMS}", folder, hint)
    text, said = read_text(path), {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _SUM.fullmatch(line)
        if not match or match[2].removeprefix("./") not in names:
            raise ReposeError("a line that is of no file of the submission", f"{path}:{number}", hint)
        said[match[2].removeprefix("./")] = match[1]
    for name in names:
        if name not in said:
            raise ReposeError(f"has no line of {name}", path, hint)
        with (folder / name).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != said[name]:
                raise ReposeError(f"has changed since {SUMS} was written", folder / name, hint)
    return hashlib.sha256(text.encode()).hexdigest()


def _vertices(path: Path, count: int) -> Vertices:
    """Return vertices (count, 3), checked to be finite."""
    found = _from_npz(path, count) if path.suffix == ".npz" else _from_obj(path, count)
    if not np.isfinite(found).all():
        bad = int(np.argmin(np.isfinite(found).all(axis=1)))
        raise ReposeError(f"vertex {bad} is not finite: {found[bad].tolist()}", path)
    if (found == found[0]).all():
        raise ReposeError("all vertices are equal", path)
    return found


def _from_npz(path: Path, count: int) -> Vertices:
    hint = "write it by numpy.savez(path, vertices=array), float32 or float64"
    arrays = read_npz(path, "not a .npz of one plain array", hint, limit=BESIDE * 24 * count)
    if list(arrays) != ["vertices"]:
        raise ReposeError(f"holds {', '.join(arrays)[:80] or 'nothing'}, not `vertices` alone", path, hint)
    found = arrays["vertices"]
    if found.dtype not in (np.float32, np.float64):
        raise ReposeError(f"`vertices` is of {found.dtype}", path, hint)
    if found.shape != (count, 3):
        raise ReposeError(f"`vertices` has shape {found.shape}, its identity has ({count}, 3)", path)
    return found


def _from_obj(path: Path, count: int) -> Vertices:
    # A closed surface has at most twice as many faces as vertices.
    found = parse_obj(read_bytes(path, (3 * count + 100) * LINE), path).vertices
    if found.shape != (count, 3):
        raise ReposeError(f"{len(found)} vertices, its identity has {count}", path)
    return found
