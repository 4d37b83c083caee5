"""FAUST: registrations of 10 people in 10 poses, on SMPL's mesh (Bogo et al., CVPR 2014).

`MPI-FAUST.zip` holds, among scans that are not read, `training/registrations/tr_reg_000.ply` … `tr_reg_099.ply`:
the second digit of the number is the identity, the third one the pose. Metres, y up. The 200 test scans have no
registrations.
"""

from typing import ClassVar, Literal

from pydantic import Field

from repose.raw.entry import Entry, named
from repose.raw.file_per_mesh import FilePerMesh
from repose.raw.settings import Choice, Pairs


class Faust(FilePerMesh):
    """FAUST registrations: 10 people in 10 poses. Validation poses are new, of people seen in training.

    In pose 8, a test pose, people are turned by about 90 degrees; docs/data.md has a split without it.
    """

    entry: ClassVar[Entry] = Entry(
        what="registrations of scans of 10 people in 10 poses each (Bogo et al., CVPR 2014)",
        licence="research only",
        home="https://faust.is.tue.mpg.de",
        get="MPI-FAUST.zip",
        files=named(r"tr_reg_(?P<identity>\d\d)(?P<pose>\d)\.ply"),
        expected=100,
        naming="training/registrations/tr_reg_{n:03}.ply: identity n // 10, pose n % 10",
        split="identities 0-7 and 8-9 (as LIMP), poses 0-4, 5-6 and 7-9, of which 8 is turned",
        doubts="no published split of poses",
        vertices=6890,
        faces=13_776,
    )

    source: Literal["faust"]
    identities: Choice = Field(Choice(train="0-7", val="0-7", test="8-9"), description=("people"))
    poses: Choice = Field(Choice(train="0-4", val="5-6", test="7-9"), description="poses")
    pairs: Pairs = Field(Pairs(train=1000, val=60, test=12), description=("triples; few are possible"))
