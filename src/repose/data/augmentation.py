"""Settings of the variation of training bodies. It imports no torch, as Snakemake reads it at every start."""

from pydantic import Field

from repose.section import Section


class Augmentation(Section):
    """The variation of the bodies of training triples, to cover other people's bodies (docs/learning.md)."""

    heading: float = Field(
        0, ge=0, le=180, description="degrees that each body is turned by at most, about y"
    )
    tilt: float = Field(
        0, ge=0, le=45, description="standard deviation of each body's tilts, about x and about z, degrees"
    )
    size: float = Field(1, ge=1, le=10, description="factor that each body is larger or smaller by at most")
    noise: float = Field(
        0, ge=0, description="standard deviation of the noise of both inputs, of each coordinate, metres"
    )
    density: float = Field(
        1,
        ge=1,
        description="how many times as dense the drawn vertices are on one side of a body, of `points`",
    )
    holes: float = Field(
        0,
        ge=0,
        le=1,
        description="share of steps in which a body has a hole: no vertex near one of its own is among `points`",
    )
