"""Unpack untrusted archives: zip, tar and tar.gz.

If any part is refused, the whole archive is. It is unpacked into a private folder beside the target, which becomes the
target when the last member is written. After a refusal nothing is left, and nothing was written anywhere else.
"""

import errno
import gzip
import stat
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

from repose.errors import ReposeError
from repose.provenance.publish import publish

BLOCK = 1 << 20
HEADER = 64 << 10  # bytes of a tar header that is longer than a block
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
SELF = "unpack it yourself, and put the folder in its place"
_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml")


class ArchiveError(ReposeError):
    """An archive is damaged, hostile, or of a kind that is not read."""


@dataclass(frozen=True)
class Limits:
    """The limits of an archive, beyond which it counts as a bomb.

    Attributes:
        members: files and folders.
        bytes: bytes of all files when unpacked.
        ratio: ratio of a member's unpacked bytes to its bytes in the archive.
        records: lines in the extended headers of a tar, which take a microsecond each.
    """

    members: int = 500_000
    bytes: int = 200 << 30
    names: int = 200_000_000  # characters of all paths and of the folders in them
    depth: int = 64  # depth of nested folders
    ratio: int = 200  # numbers in text shrink to a fifth or a tenth, zeros to a thousandth
    records: int = 4_000_000


@dataclass
class _Member:
    """A member as the archive describes it; sizes are in bytes."""

    name: str
    size: int
    packed: int | None  # its size in the archive, if the format states it
    open: Callable[[], IO[bytes]]
    is_folder: bool = False


def is_archive(path: Path) -> bool:
    """Return whether a file name is that of an archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(
    archive: Path,
    target: Path,
    wanted: Callable[[str], bool] = lambda name: True,
    limits: Limits = Limits(),
) -> list[str]:
    """Unpack the wanted files of an archive; all members are checked, wanted or not.

    Args:
        archive: the file as downloaded; its first bytes decide its format, not its name.
        target: the folder to create; an existing folder is replaced.
        wanted: returns whether to write a member, by its path (`a/b.ply`).
        limits: the limits on its content.

    Returns:
        The paths of the written files, relative to `target`, in the order of the archive.

    Raises:
        ArchiveError: a path that is absolute or climbs out, a link, a device, a bomb, a name given twice or differing
            in case only, a password, a web page, a damaged file or another format.
    """
    written = []
    with publish(target) as private:
        private.mkdir()
        with _members(archive, limits) as members:
            guard = _Guard(archive, limits)
            for member in members:
                name = guard.check(member)
                if not member.is_folder and wanted(name):
                    with _damage(archive, repr(name)), member.open() as source:
                        _write(source, member.size, private / name, guard, name)
                    written.append(name)
    return written


def names(archive: Path) -> list[str] | None:
    """Return the file names in a zip, from its directory; None for formats that would have to be read completely."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return [info.filename for info in opened.infolist() if not info.is_dir()]
    except Exception:  # a damaged directory can raise nearly any error
        return None


def _write(source: IO[bytes], size: int, path: Path, guard: "_Guard", name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    left = size
    with path.open("xb") as out:
        while block := source.read(min(BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                raise guard.refuse(f"{name!r} is larger than it claims to be")
            out.write(block)
    if left:
        raise guard.refuse(f"{name!r} is cut short", "download it again")


@dataclass
class _Guard:
    """Checks one member after another, and keeps the names and sizes so far."""

    archive: Path
    limits: Limits
    count: int = 0
    total: int = 0
    letters: int = 0
    # case-folded path: (path, whether it is a file)
    seen: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def refuse(
        self, what: str, hint: str | None = "do not trust this file; download it again"
    ) -> ArchiveError:
        return ArchiveError(what, self.archive, hint)

    def check(self, member: _Member) -> str:
        """Return the member's path, without `.` parts, if it is allowed."""
        self.count += 1
        self.total += member.size
        if self.count > self.limits.members:
            raise self.refuse(f"more than {self.limits.members} members: a bomb?")
        if self.total > self.limits.bytes:
            raise self.refuse(f"would unpack to more than {self.limits.bytes} bytes: a bomb?")
        # A small member may be all zeros, but a large one that shrinks this much is a bomb.
        if member.packed is not None and member.size > max(BLOCK, self.limits.ratio * member.packed):
            raise self.refuse(f"{member.name!r} unpacks to {member.size} bytes from {member.packed}: a bomb?")
        parts = self._parts(member.name, member.is_folder)
        for depth in range(1, len(parts) + 1):
            self._register("/".join(parts[:depth]), is_file=depth == len(parts) and not member.is_folder)
        return "/".join(parts)

    def _parts(self, name: str, is_folder: bool) -> list[str]:
        if name.startswith("/") or (name[1:2] == ":" and name[:1].isalpha()):
            raise self.refuse(f"{name!r} is an absolute path")
        parts = [part for part in name.rstrip("/").split("/") if part != "."]
        if ".." in parts:
            raise self.refuse(f"{name!r} climbs out of its folder")
        if "\\" in name or not name.isprintable():
            raise self.refuse(f"{name!r} has a character that no file name here may have")
        usable = all(part and len(part.encode()) <= 255 for part in parts)
        usable = usable and len(name) <= 1000 and len(parts) <= self.limits.depth
        if not usable or not (parts or is_folder):
            raise self.refuse(f"{name[:80]!r} is no usable path")
        return parts

    def _register(self, path: str, is_file: bool) -> None:
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded not in self.seen:
            self.letters += len(path)
            if self.letters > self.limits.names:
                raise self.refuse(f"paths of more than {self.limits.names} characters: a bomb?")
            self.seen[folded] = (path, is_file)
            return
        before, was_file = self.seen[folded]
        if before != path:
            raise self.refuse(f"{path!r} and {before!r} differ in case only: one would overwrite the other")
        if is_file and was_file:
            raise self.refuse(f"{path!r} is there twice")
        if is_file or was_file:
            raise self.refuse(f"{path!r} is a file and a folder")


@contextmanager
def _members(archive: Path, limits: Limits) -> Iterator[Iterator[_Member]]:
    try:
        with archive.open("rb") as file:
            start = file.read(512)
            file.seek(0)
            kind = _kind(start, archive)
            reader = {"zip": _zip_members, "tar": _tar_members, "gzip": _gzip_members}[kind]
            with _damage(archive, "the archive"):
                yield reader(file, archive, limits)
    except FileNotFoundError:
        raise ArchiveError("no such archive", archive) from None


def _kind(start: bytes, archive: Path) -> str:
    if not start:
        raise ArchiveError("the file is empty", archive, "download it again")
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGE):
        raise ArchiveError(
            "a web page, not an archive: the site answered with a quota or sign-in page",
            archive,
            "download it again in a browser, signed in",
        )
    for magic, name in _FOREIGN.items():
        if start.startswith(magic):
            raise ArchiveError(f"{name} archives are not read", archive, SELF)
    if start[257:262] == b"ustar":
        return "tar"
    raise ArchiveError("not a zip, tar or tar.gz file", archive, SELF)


@contextmanager
def _damage(archive: Path, what: str) -> Iterator[None]:
    """Convert any error that a damaged archive raises in the library into an ArchiveError."""
    try:
        yield
    except ReposeError:
        raise
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # an error of the disk, not of the archive
            raise
        raise ArchiveError(f"{what} is damaged: {error}", archive, "download it again") from error
    except Exception as error:  # a damaged archive can raise nearly any error
        raise ArchiveError(f"{what} is damaged: {error!r}", archive, "download it again") from error


def _zip_members(file: BinaryIO, archive: Path, limits: Limits) -> Iterator[_Member]:
    opened = zipfile.ZipFile(file)
    for info in opened.infolist():
        mode = info.external_attr >> 16
        # Some readers end the name at a NUL byte, and others do not.
        if "\0" in info.orig_filename:
            raise ArchiveError(f"{info.orig_filename!r} has a NUL in its name", archive)
        if stat.S_ISLNK(mode):
            raise ArchiveError(f"{info.filename!r} is a link", archive, "links are never followed")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(f"{info.filename!r} is a device or a pipe", archive)
        if info.flag_bits & 1:
            raise ArchiveError(
                "the archive needs a password", archive, f"the dataset's owners give it; {SELF}"
            )
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(f"{info.filename!r} is packed by method {info.compress_type}", archive, SELF)
        yield _Member(
            info.filename,
            info.file_size,
            info.compress_size,
            partial(opened.open, info),
            info.is_dir(),
        )


class _Stream:
    """The bytes of a tar. `tarfile` reads headers whole, or line by line, so gigabytes of header are stopped here.

    Attributes:
        limit: largest number of bytes, if they are decompressed from a smaller file.
        in_header: whether a header is being read, and not a member.
    """

    def __init__(self, file: IO[bytes] | gzip.GzipFile, archive: Path, records: int, limit: int | None):
        self.file, self.archive, self.records, self.limit = file, archive, records, limit
        self.last, self.in_header = b"", True

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= (HEADER if self.in_header else 4 * BLOCK):
            raise ArchiveError(f"a header of {size} bytes: a bomb?", self.archive)
        self.last = self.file.read(size)
        if self.limit is not None and self.tell() > self.limit:
            raise ArchiveError(f"unpacks to {self.tell()} bytes or more: a bomb?", self.archive)
        if self.in_header and size > tarfile.BLOCKSIZE:
            self.records -= self.last.count(b"\n")
            if self.records < 0:
                raise ArchiveError("too many lines in its headers: a bomb?", self.archive)
        return self.last

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


def _gzip_members(file: BinaryIO, archive: Path, limits: Limits) -> Iterator[_Member]:
    limit = max(BLOCK, limits.ratio * archive.stat().st_size)
    total = 0
    with gzip.open(file) as plain:
        for member in _tar_members(plain, archive, limits, limit):
            total += member.size  # the stated size, before the member is read
            if total > limit:
                raise ArchiveError(f"unpacks to {total} bytes or more: a bomb?", archive)
            yield member


def _tar_members(
    file: IO[bytes] | gzip.GzipFile, archive: Path, limits: Limits, limit: int | None = None
) -> Iterator[_Member]:
    stream = _Stream(file, archive, limits.records, limit)
    opened = tarfile.TarFile(fileobj=stream, mode="r")  # type: ignore[arg-type]
    for info in opened:
        opened.members = []  # type: ignore[attr-defined]  # tarfile would remember every one
        if info.issym() or info.islnk():
            raise ArchiveError(f"{info.name!r} is a link", archive, "links are never followed")
        if info.ischr() or info.isblk() or info.isfifo():
            raise ArchiveError(f"{info.name!r} is a device or a pipe", archive)
        if not (info.isdir() or info.type in (tarfile.REGTYPE, tarfile.AREGTYPE)) or info.issparse():
            raise ArchiveError(f"{info.name!r} is neither a plain file nor a folder", archive)
        if info.size < 0:
            raise ArchiveError(f"{info.name!r} has a negative size", archive)
        stream.in_header = False
        yield _Member(
            info.name,
            info.size,
            None,
            partial(opened.extractfile, info),  # type: ignore[arg-type]
            info.isdir(),
        )
        stream.in_header = True
    # tarfile takes any malformed header for the end, but the true end is a block of zeros.
    if stream.last != bytes(tarfile.BLOCKSIZE):
        raise ArchiveError("the archive is cut short or damaged", archive, "download it again")
