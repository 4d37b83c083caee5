"""What a manifest states of the files of a folder, for readers that check what they read, when they read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repose.errors import ReposeError
from repose.provenance.listing import blake3_of, blake3_of_file, check_list, entries_of
from repose.provenance.manifest import load, manifest_path


class Stated:
    """The files of a folder, by their digests.

    Args:
        folder: where they are.
        digests: BLAKE3 by name; None: nothing is stated, and nothing is checked.
    """

    def __init__(self, folder: Path, digests: Mapping[str, str] | None):
        self.folder, self._digests = folder, digests

    def digest(self, path: Path) -> str | None:
        """The BLAKE3 that is stated of a file; None where nothing is stated of any.

        Raises:
            ReposeError: there should be no such file.
        """
        if self._digests is None:
            return None
        name = path.relative_to(self.folder).as_posix()
        if name not in self._digests:
            raise ReposeError("is none of the files in the manifest of its folder", path, self._hint)
        return self._digests[name]

    def check(self, path: Path, data: Any) -> None:
        """Refuse bytes, just read from a file of the folder, that are not those that are stated.

        Raises:
            ReposeError: they are others, or there should be no such file.
        """
        stated = self.digest(path)
        if stated is not None and blake3_of(data) != stated:
            raise ReposeError("does not match the manifest of its folder", path, self._hint)

    def check_file(self, path: Path) -> None:
        """The same of a file that another library is going to read."""
        stated = self.digest(path)
        self.check_missing(path)
        if stated is not None and blake3_of_file(path) != stated:
            raise ReposeError("does not match the manifest of its folder", path, self._hint)

    def check_missing(self, path: Path) -> None:
        """Refuse that a file which is stated is not there."""
        is_stated = self._digests is not None and path.relative_to(self.folder).as_posix() in self._digests
        if is_stated and not path.is_file():
            raise ReposeError("is missing, but the manifest of its folder has it", path, self._hint)

    @property
    def _hint(self) -> str:
        return f"remove {manifest_path(self.folder)} and run again"


def stated(folder: Path) -> Stated:
    """What the manifest beside a folder states of its files; nothing where there is none.

    Folders in the making, and those that people bring, have no manifest. That an input has one, `making` sees to.

    Raises:
        ReposeError: the manifest, its history or the list is damaged, or they are of something else.
    """
    manifest = manifest_path(folder)
    if not manifest.exists():
        return Stated(folder, None)
    files = load(manifest).content["files"]
    if "list" not in files.get(folder.name, {}):
        raise ReposeError(f"has no list of the files of {folder.name}", manifest, "run the workflow again")
    return Stated(folder, entries_of(check_list(manifest, folder.name, files[folder.name])))
