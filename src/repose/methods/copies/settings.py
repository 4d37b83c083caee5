"""Settings of the baselines and oracles without parameters."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from repose.medium import Medium
from repose.methods.settings import Finished, MethodSettings, Told


class CopyMeshSettings(Finished):
    """A baseline without parameters: the identity mesh, or the pose mesh, unchanged or projected."""

    network: ClassVar[str] = "repose.methods.copies.meshes:CopyMesh"

    architecture: Literal["copy"]
    mesh: Literal["identity", "pose"] = Field(
        description="which of the two to copy; pose is told which vertices correspond"
    )

    @property
    def told(self) -> frozenset[Told]:
        """Copying the pose mesh needs registered bodies; copying the identity needs nothing."""
        return frozenset({Told.REGISTRATION} if self.mesh == "pose" else ())


def only_copies(settings: Mapping[str, object]) -> bool:
    """Whether a method of meshes, whose settings a history or the configuration has, is a baseline of every ranking."""
    return settings["architecture"] == "copy" and settings.get("finish", "none") == "none"


class CopyPosesSettings(MethodSettings):
    """Poses without a model: some of the true training poses (an oracle), or always the pose at rest (a baseline)."""

    medium: ClassVar[Medium] = "poses"
    network: ClassVar[str] = "repose.methods.copies.poses:CopyPoses"

    architecture: Literal["copy-poses"]
    poses: Literal["training", "rest"] = Field(description="which poses of the body itself are copied")
    rest_pose: int = Field(0, ge=0, description="number of the pose at rest")

    @property
    def told(self) -> frozenset[Told]:
        """The body at rest; the oracle is also told the body in the training poses."""
        return frozenset({Told.REST_BODIES} | ({Told.ANSWER} if self.poses == "training" else set()))


class CopyImageSettings(MethodSettings):
    """A baseline or an oracle without parameters: the source image, or the target itself."""

    medium: ClassVar[Medium] = "images"
    network: ClassVar[str] = "repose.methods.copies.images:CopyImage"

    architecture: Literal["copy-image"]
    image: Literal["source", "target"] = Field(description="which of the two; target: the row of real data")

    @property
    def told(self) -> frozenset[Told]:
        """The oracle copies the target."""
        return frozenset({Told.ANSWER} if self.image == "target" else ())
