"""The scans of our laboratory. Snakemake reads this at every start: it imports nothing slow."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.raw.entry import Entry, named
from repose.raw.file_per_mesh import FilePerMesh
from repose.raw.settings import Choice, Pairs


class LabScans(FilePerMesh):
    """Registrations of four people in eight poses."""

    entry: ClassVar[Entry] = Entry(
        what="registrations of scans of 4 people in 8 poses each",
        licence="for members of the laboratory",
        home="https://scans.example.org",
        get="scans.zip",
        files=named(r"person(?P<identity>\d+)/pose(?P<pose>\d+)\.ply"),
        expected=32,
        naming="person{i}/pose{p}.ply: identity i, pose p",
        split="people 0-1 and 2-3, poses 0-3, 4-5 and 6-7",
        vertices=122,
        faces=240,
    )

    source: Literal["lab-scans"]
    identities: Choice = Field(Choice(train="0-1", val="0-1", test="2-3"), description="people")
    poses: Choice = Field(Choice(train="0-3", val="4-5", test="6-7"), description="poses")
    pairs: Pairs = Field(Pairs(train=20, val=4, test=4), description="triples")
