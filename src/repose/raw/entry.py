"""The facts of a dataset, for people and for its reader. Nothing slow here: Snakemake reads it at every start."""

import re
from dataclasses import dataclass
from pathlib import Path

RAW = Path("data/raw")
"""Where the files of user-supplied datasets belong, each in a folder of its own."""


@dataclass(frozen=True)
class Entry:
    """What a dataset is, under which licence, where to get it, and how its files are named.

    Nothing is downloaded: those who have the right to use a licensed dataset supply its files. What could not be
    checked against an original download says so in `doubts`.

    Attributes:
        what: what it holds and where it was published, as one phrase.
        licence: under which it stands; every catalogue repeats it.
        naming: how identity and pose are read off the names, in words.
        split: which parts the configuration takes by default, in words.
        units: of the vertices after conversion: m, or in words; pixels for images.
        up: which axis of the released files points up, and what becomes of it.
        home: address of the owners' page; empty for what is made from a seed.
        get: what to download there.
        files: pattern of the path of a wanted file inside the archive or folder; None for what is made from a seed.
            Datasets of one file per mesh have the groups `identity` and `pose` in it.
        expected: how many such files a complete copy has; None if that is not known.
        vertices: how many every mesh has; None where they differ.
        faces: how many every mesh has; None where they differ.
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
        """How the path of a file matches the pattern of wanted files; None if it does not."""
        return self.files.search(path) if self.files else None


def named(text: str) -> re.Pattern[str]:
    """The pattern of paths that end in whole names, such as `tr_reg_000.ply` or `a/b.obj`, in any folder."""
    return re.compile(rf"(?:^|/){text}$")
