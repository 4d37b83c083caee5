"""Settings of deformation transfer."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from repose.methods.settings import MethodSettings, Told


class DeformationTransferSettings(MethodSettings):
    """Deformation transfer (Sumner and Popović, SIGGRAPH 2004) between two bodies that are given in one pose.

    It learns nothing. With both bodies at rest and the true correspondence it shows how well geometry alone does when
    everything is known.
    """

    network: ClassVar[str] = "repose.methods.deformation_transfer.network:DeformationTransfer"

    architecture: Literal["deformation-transfer"]
    rest_pose: Annotated[int, Field(ge=0)] | Literal["identity"] = Field(
        0,
        description=(
            "number of the pose at rest, in which both bodies are given; every identity must have it (open data: "
            "0). identity: the pose body is given in the pose of the identity mesh instead, which only an oracle "
            "can have"
        ),
    )
    correspondence: Literal["true", "nearest"] = Field(
        "true",
        description=(
            "which faces correspond. true: the true correspondence is given; nearest: the face with the nearest "
            "middle and normal, after the boxes of both bodies at rest are laid on each other"
        ),
    )

    @property
    def told(self) -> frozenset[Told]:
        """Both bodies at rest, or for an oracle another true mesh of the pose body; and any true correspondence."""
        bodies = Told.ANSWER if self.rest_pose == "identity" else Told.REST_BODIES
        return frozenset({bodies} | ({Told.REGISTRATION} if self.correspondence == "true" else set()))
