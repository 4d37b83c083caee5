"""The facts of a dataset, for people and for its reader. It imports nothing slow, for Snakemake's sake."""

import re
from dataclasses import dataclass
from pathlib import Path

RAW = Path("data/raw")
"""Where the files of user-supplied datasets belong, each in a folder of its own."""


@dataclass(frozen=True)
class Entry:
    """What a dataset is, its licence, where to get it, and how its files are named.

    Nothing is downloaded: users who have the right to use a licensed dataset supply its files. `doubts` lists what
    could not be checked against an original download.

    Attributes:
        what: its content and its publication, as one phrase.
        licence: its licence, which every catalogue repeats.
        naming: how names give identity and pose, in words.
        split: the default parts of the configuration, in words.
        units: units of the vertices after conversion: m, or in words; pixels for images.
        up: the up axis of the released files, and how it is converted.
        home: address of the owners' page; empty for generated datasets.
        get: what to download from that page.
        files: pattern of the paths of needed files inside the archive or folder; None for generated datasets. For
            datasets of one file per mesh it has the groups `identity` and `pose`.
        expected: number of such files in a complete copy; None if not known.
        vertices: number of vertices of every mesh; None if they differ.
        faces: number of faces of every mesh; None if they differ.
        doubts: what is not verified, in words.
    """

    what: str
    licence: str
    naming: str
    split: str
    units: str = "m"
    up: str = "y"
    home: str = ""
    get: str = ""
    files: re.Pattern[str] | None = None
    expected: int | None = None
    vertices: int | None = None
    faces: int | None = None
    doubts: str = ""

    def match(self, path: str) -> re.Match[str] | None:
        """Match the path of a file with the pattern of needed files; None if it does not match."""
        return self.files.search(path) if self.files else None


def named(text: str) -> re.Pattern[str]:
    """Return the pattern of paths that end in whole names, such as `tr_reg_000.ply` or `a/b.obj`, in any folder."""
    return re.compile(rf"(?:^|/){text}$")
