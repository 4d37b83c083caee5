"""Settings of rotations on a found correspondence."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.methods.corenet.settings import CoreNetSettings
from repose.methods.settings import Shared
from repose.methods.xdualnet.settings import XDualNetSettings
from repose.section import Name, Section


class Matched(Section):
    """What both have: the weights of a trained network, of which the part that matches is used."""

    shared: ClassVar[Shared | None] = Shared(
        "weights_of", but_for=frozenset({"architecture", "weights_of", "matching", "finish"})
    )

    weights_of: Name = Field(description="method whose training gives it its weights")
    finish: Literal["none"] = Field("none", description="its results are rotations already")
    matching: Literal["plan", "nearest"] = Field(
        "plan",
        description="where a vertex of the identity is on the pose mesh. plan: the mean by its row of the transport "
        "plan, the coarse warp; nearest: the vertex of the nearest feature",
    )


class MatchedCoreNetSettings(Matched, CoreNetSettings):
    """The identity's faces, turned as 3D-CoreNet's matching has them, and not stretched."""

    network: ClassVar[str] = "repose.methods.matched.network:MatchedCoreNet"

    architecture: Literal["corenet-rotations"]  # type: ignore[assignment]


class MatchedXDualNetSettings(Matched, XDualNetSettings):
    """The identity's faces, turned as X-DualNet's matching has them, and not stretched."""

    network: ClassVar[str] = "repose.methods.matched.xdualnet:MatchedXDualNet"

    architecture: Literal["xdualnet-rotations"]  # type: ignore[assignment]
