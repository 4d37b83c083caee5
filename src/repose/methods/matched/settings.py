"""Settings of the rotation of faces on a found correspondence."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.methods.corenet.settings import CoreNetSettings
from repose.methods.settings import Shared
from repose.methods.xdualnet.settings import XDualNetSettings
from repose.section import Name, Section


class Matched(Section):
    """Settings of both methods: they use the weights of a trained network, of which only the matching is needed."""

    shared: ClassVar[Shared | None] = Shared(
        "weights_of", but_for=frozenset({"architecture", "weights_of", "matching", "finish"})
    )

    weights_of: Name = Field(description="method whose trained weights are used")
    finish: Literal["none"] = Field("none", description="the results already consist of rotations")
    matching: Literal["plan", "nearest"] = Field(
        "plan",
        description=(
            "how a vertex of the identity is placed on the pose mesh. plan: at the mean weighted by its "
            "row of the transport plan (the coarse warp); nearest: at the vertex of the nearest feature"
        ),
    )


class MatchedCoreNetSettings(Matched, CoreNetSettings):
    """The identity's faces, rotated as 3D-CoreNet's matching finds them on the pose mesh, without stretch."""

    network: ClassVar[str] = "repose.methods.matched.network:MatchedCoreNet"

    architecture: Literal["corenet-rotations"]  # type: ignore[assignment]


class MatchedXDualNetSettings(Matched, XDualNetSettings):
    """The identity's faces, rotated as X-DualNet's matching finds them on the pose mesh, without stretch."""

    network: ClassVar[str] = "repose.methods.matched.xdualnet:MatchedXDualNet"

    architecture: Literal["xdualnet-rotations"]  # type: ignore[assignment]
