"""SMPL-NPT: SMPL bodies of 30 identities in 800 poses (Wang et al., CVPR 2020).

Files are named `{i}_{p}.obj` as NPT's generator writes and its loader reads them, or `id{i}_{p}.obj` as 3D-CoreNet and
MAPConNet read them; both stand for identity i in pose p. Metres, y up. `repose.raw.smpl_sampling` describes how the
bodies were drawn. The published generator makes identities 0-15; that identities 16-29 follow the same rule is not
verified.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from repose.raw.entry import Entry, named
from repose.raw.file_per_mesh import FilePerMesh
from repose.raw.licensed import LicensedGrid
from repose.raw.settings import Choice, Pairs

SAMPLERS = {"bent": "0-399", "straight": "400-799"}
"""The poses of both samplers (`repose.raw.smpl_sampling`): bent as in X-DualNet's list, straight as in 3D-CoreNet's."""


class SmplBodies(LicensedGrid):
    """30 identities in 800 poses, split as published, except for validation."""

    halves: ClassVar[Mapping[str, str]] = SAMPLERS

    identities: Choice = Field(Choice(train="0-15", val="0-15", test="16-29"), description=("bodies"))
    poses: Choice = Field(Choice(train="200-599", val="0-19", test="600-799"), description=("poses"))
    pairs: Pairs = Field(Pairs(train=800_000, val=200, test=400), description="triples")


class SmplNpt(SmplBodies, FilePerMesh):
    """SMPL-NPT bodies as published: 30 identities in 800 poses."""

    entry: ClassVar[Entry] = Entry(
        what="SMPL bodies, 30 identities in 800 sampled poses (Wang et al., CVPR 2020)",
        licence="SMPL model licence, non-commercial research",
        home="https://github.com/jiashunwang/Neural-Pose-Transfer",
        get="the training data",
        files=named(r"(?:id)?(?P<identity>\d{1,2})_(?P<pose>\d{1,3})\.obj"),
        expected=24_000,
        naming="{i}_{p}.obj (NPT) or id{i}_{p}.obj (3D-CoreNet, MAPConNet): identity i, pose p",
        split="identities 0-15 and 16-29, poses 200-599 and 600-799 as published; validation on poses 0-19",
        doubts="whether all 30 × 800 are in the download",
        vertices=6890,
        faces=13_776,
    )

    source: Literal["smpl-npt"]
