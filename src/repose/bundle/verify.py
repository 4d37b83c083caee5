"""Check a bundle: every file is present and matches the list of digests, and there are no other files."""

import hashlib
import re
import stat
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from repose.errors import ReposeError
from repose.provenance.form import inside
from repose.reading import foreign

SUMS = "SHA256SUMS"
# bytes of the directory of members, which is read completely: enough for half a million
MAX_DIRECTORY = 64 << 20
MAX_SUMS = MAX_DIRECTORY
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_HINT = "do not trust this file; get it again"


@dataclass(frozen=True)
class Bundle:
    """The facts of a bundle: its number of files, its size in bytes, and the digest of its list of digests."""

    files: int
    bytes: int
    digest: str


def verify_bundle(path: Path, expect: str = "") -> Bundle:
    """Read a bundle completely and check it; nothing is written.

    Args:
        path: the zip.
        expect: the beginning of the digest that was recorded when it was published.

    Raises:
        ReposeError: it is no file, or no bundle; a file differs from its digest, is missing, or is in no list; a name
            leads out or is there twice; members are packed, or larger together than the file; or the digest is another.
    """
    if not path.is_file():
        raise ReposeError("no such file", path, "give what `repose publish` wrote")
    with foreign(path, "is no sound zip", _HINT), path.open("rb") as file:
        archive = zipfile.ZipFile(_Bounded(file))
        members = _members(archive, path)
        if SUMS not in members:
            raise ReposeError(f"has no {SUMS}", path, "`repose publish` makes bundles")
        if members[SUMS].file_size > MAX_SUMS:
            raise ReposeError(f"{SUMS} has {members[SUMS].file_size} bytes", path, _HINT)
        listing = archive.read(members[SUMS])
        listed, digest = _listed(listing, path), hashlib.sha256(listing).hexdigest()
        if expect and not digest.startswith(expect):
            raise ReposeError(
                f"its digest is {digest}, not {expect}", path, "it is another bundle, or was changed"
            )
        if missing := listed.keys() - members.keys():
            raise ReposeError(f"{min(missing)} is missing", path, _HINT)
        if added := members.keys() - listed.keys() - {SUMS}:
            raise ReposeError(f"{min(added)} is in no list of {SUMS}", path, _HINT)
        for name, stated in listed.items():
            if _sha256(archive, members[name]) != stated:
                raise ReposeError(f"{name} is not what {SUMS} says", path, _HINT)
        return Bundle(len(members), path.stat().st_size, digest)


class _Bounded:
    """A file that limits the size of a read, because a forged directory could fill the memory."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(min(size, MAX_DIRECTORY + 1) if size >= 0 else MAX_DIRECTORY + 1)
        if len(found) > MAX_DIRECTORY:
            raise ValueError(f"more than {MAX_DIRECTORY} bytes of names")
        return found


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, if all are harmless."""
    found: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in archive.infolist():
        name, mode = inside(info.orig_filename), info.external_attr >> 16
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in seen:
            raise ReposeError(f"{name} is there twice, or in another case", path, _HINT)
        seen.add(folded)
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or info.is_dir() or info.flag_bits & 1:
            raise ReposeError(f"{name} is no plain file", path, _HINT)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ReposeError(f"{name} is packed, which no file of a bundle is: a bomb?", path, _HINT)
        found[name] = info
    total = sum(info.file_size for info in found.values())
    if total > path.stat().st_size:  # some members overlap
        raise ReposeError(f"its files have {total} bytes, more than it has itself: a bomb?", path, _HINT)
    return found


def _listed(listing: bytes, path: Path) -> dict[str, str]:
    lines = listing.decode("utf-8").removesuffix("\n").split("\n")
    found = [_LINE.fullmatch(line) for line in lines]
    if bad := next((line for line, match in zip(lines, found, strict=True) if not match), None):
        raise ReposeError(f"{SUMS} has the line {bad[:80]!r}", path, _HINT)
    listed = {match[2]: match[1] for match in found if match}
    if len(listed) < len(lines):
        raise ReposeError(f"{SUMS} names a file twice", path, _HINT)
    return listed


def _sha256(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    with archive.open(info) as member:
        return hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]  # it can readinto
