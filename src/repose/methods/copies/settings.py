"""Settings of the baselines and oracles without parameters."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.methods.settings import Baseline, Medium


class CopyMeshSettings(Baseline):
    """A floor without parameters: the identity mesh, or the posed mesh, unchanged."""

    network: ClassVar[str] = "repose.methods.copies.meshes:CopyMesh"

    architecture: Literal["copy"]
    mesh: Literal["identity", "pose"] = Field(
        description="which of the two to copy; pose uses the true correspondence, which no learned method is given"
    )


class CopyPosesSettings(Baseline):
    """Poses without a model: a choice of the training poses, which is the ceiling, or always the pose at rest."""

    medium: ClassVar[Medium] = "poses"
    network: ClassVar[str] = "repose.methods.copies.poses:CopyPoses"

    architecture: Literal["copy-poses"]
    poses: Literal["training", "rest"] = Field(description="which; of the very body that is asked for")
    rest_pose: int = Field(0, ge=0, description="number of the pose at rest")


class CopyImageSettings(Baseline):
    """A floor or ceiling without parameters: the source image, or the target itself."""

    medium: ClassVar[Medium] = "images"
    network: ClassVar[str] = "repose.methods.copies.images:CopyImage"

    architecture: Literal["copy-image"]
    image: Literal["source", "target"] = Field(description="which of the two; target: the row of real data")
