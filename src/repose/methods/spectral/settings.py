"""Settings of the rotation of faces on a spectral correspondence."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.methods.settings import MethodSettings


class SpectralRotationsSettings(MethodSettings):
    """The identity's faces, rotated as found by a functional map between both posed bodies, without stretch.

    It learns nothing, and sees only the two meshes.
    """

    network: ClassVar[str] = "repose.methods.spectral.network:SpectralRotations"

    architecture: Literal["spectral-rotations"]
    vibrations: int = Field(
        100, ge=40, le=500, description="eigenvectors of each surface: the size of the last functional map"
    )
