"""Settings of deformation transfer."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.methods.settings import MethodSettings, Told


class DeformationTransferSettings(MethodSettings):
    """Deformation transfer (Sumner and Popović, SIGGRAPH 2004) with both bodies at rest and the true correspondence.

    It learns nothing and is told what no method of the tables is: how near geometry comes when all is known.
    """

    network: ClassVar[str] = "repose.methods.deformation_transfer.network:DeformationTransfer"

    architecture: Literal["deformation-transfer"]
    rest_pose: int = Field(
        0, ge=0, description="number of the pose at rest; every identity must have it (open data: 0)"
    )

    @property
    def told(self) -> frozenset[Told]:
        """Both bodies at rest, and which of their faces correspond."""
        return frozenset({Told.REST_BODIES, Told.REGISTRATION})
