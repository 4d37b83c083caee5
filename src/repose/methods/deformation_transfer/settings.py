"""Settings of deformation transfer."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from repose.methods.settings import MethodSettings, Told


class DeformationTransferSettings(MethodSettings):
    """Deformation transfer (Sumner and Popović, SIGGRAPH 2004) between two bodies that are given in one pose.

    It learns nothing. With both bodies at rest and the true correspondence it says how near geometry comes when all is
    known.
    """

    network: ClassVar[str] = "repose.methods.deformation_transfer.network:DeformationTransfer"

    architecture: Literal["deformation-transfer"]
    rest_pose: Annotated[int, Field(ge=0)] | Literal["identity"] = Field(
        0,
        description="number of the pose at rest, in which both bodies are given; every identity must have it (open "
        "data: 0). identity: the pose body is given in the identity mesh's own pose, a mesh that only an oracle has",
    )
    correspondence: Literal["true", "nearest"] = Field(
        "true",
        description="which faces correspond. true: it is told; nearest: that whose middle and normal are nearest, the "
        "boxes of both bodies at rest laid on each other",
    )

    @property
    def told(self) -> frozenset[Told]:
        """Both bodies at rest, or another true mesh of the pose body; and which faces correspond, if that is true."""
        bodies = Told.ANSWER if self.rest_pose == "identity" else Told.REST_BODIES
        return frozenset({bodies} | ({Told.REGISTRATION} if self.correspondence == "true" else set()))
