"""The statements of a manifest on the files of a folder, for readers that check each file when they read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repose.errors import ReposeError
from repose.provenance.listing import blake3_of, blake3_of_file, check_list, entries_of
from repose.provenance.manifest import load, manifest_path


class Stated:
    """The files of a folder, by their digests.

    Args:
        folder: the folder of the files.
        digests: BLAKE3 by name; None: nothing is stated, and nothing is checked.
    """

    def __init__(self, folder: Path, digests: Mapping[str, str] | None):
        self.folder, self._digests = folder, digests

    def digest(self, path: Path) -> str | None:
        """Return the stated BLAKE3 of a file; None if nothing is stated on the folder.

        Raises:
            ReposeError: the manifest states no such file.
        """
        if self._digests is None:
            return None
        name = path.relative_to(self.folder).as_posix()
        if name not in self._digests:
            raise ReposeError("is none of the files in the manifest of its folder", path, self._hint)
        return self._digests[name]

    def check(self, path: Path, data: Any) -> None:
        """Refuse bytes, just read from a file of the folder, that differ from the stated ones.

        Raises:
            ReposeError: the bytes differ, or the manifest states no such file.
        """
        stated = self.digest(path)
        if stated is not None and blake3_of(data) != stated:
            raise ReposeError("does not match the manifest of its folder", path, self._hint)

    def check_file(self, path: Path) -> None:
        """Check a file that another library is going to read; see `check`."""
        stated = self.digest(path)
        self.check_missing(path)
        if stated is not None and blake3_of_file(path) != stated:
            raise ReposeError("does not match the manifest of its folder", path, self._hint)

    def check_missing(self, path: Path) -> None:
        """Refuse to treat a file as missing if the manifest states it."""
        is_stated = self._digests is not None and path.relative_to(self.folder).as_posix() in self._digests
        if is_stated and not path.is_file():
            raise ReposeError("is missing, but the manifest of its folder has it", path, self._hint)

    @property
    def _hint(self) -> str:
        return f"remove {manifest_path(self.folder)} and run again"


def stated(folder: Path) -> Stated:
    """Return the statements of the manifest beside a folder on its files; no statements if there is no manifest.

    Unfinished folders, and those that users supply, have no manifest. `making` ensures that an input has one.

    Raises:
        ReposeError: the manifest, its history or the list is damaged, or they belong to something else.
    """
    manifest = manifest_path(folder)
    if not manifest.exists():
        return Stated(folder, None)
    files = load(manifest).content["files"]
    if "list" not in files.get(folder.name, {}):
        raise ReposeError(f"has no list of the files of {folder.name}", manifest, "run the workflow again")
    return Stated(folder, entries_of(check_list(manifest, folder.name, files[folder.name])))
