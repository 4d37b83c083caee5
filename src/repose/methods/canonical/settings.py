"""Settings of canonical coordinates."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.methods.settings import LearnedTransfer, Told, Training


class CanonicalTraining(Training):
    """Training of canonical coordinates."""

    surfaces: PositiveInt = Field(
        400,
        description=(
            "number of surfaces that the network learns from: training meshes, most of them with other triangles"
        ),
    )


class CanonicalSettings(LearnedTransfer):
    """Canonical coordinates, the matcher of `repose transfer` (ours): no system has been published under this name.

    A surface is encoded by DiffusionNet (Sharp et al., TOG 2022), which gives every vertex its place on one body at
    rest, as in the Vitruvian manifold (Taylor et al., CVPR 2012). Vertices of two meshes match if they have the same
    place.
    """

    network: ClassVar[str] = "repose.methods.canonical.network:CanonicalNetwork"
    recipe: ClassVar[str | None] = "repose.methods.canonical.recipe:CanonicalRecipe"
    not_of_network: ClassVar[frozenset[str]] = LearnedTransfer.not_of_network | {"rest_pose"}

    architecture: Literal["canonical"]
    width: PositiveInt = Field(128, description="channels of a vertex")
    blocks: PositiveInt = Field(4, description="diffusion blocks of each network")
    vibrations: int = Field(96, ge=8, description="eigenvectors of the surface used for the diffusion")
    finds_frame: bool = Field(
        False,
        description=(
            "true: a second network, which takes long to train, finds the orientation of a mesh; false: meshes "
            "must be upright and face +z, as those of all datasets do"
        ),
    )
    rest_pose: int = Field(
        0,
        ge=0,
        description="number of the pose in which the body's vertices are the coordinates (open data: 0, at rest)",
    )
    training: CanonicalTraining = Field(description="optimiser, schedule and length")

    @property
    def told(self) -> frozenset[Told]:
        """The registration of the training bodies; no truth."""
        return frozenset({Told.REGISTRATION})

    @property
    def sees_unit_area(self) -> bool:
        """It always does."""
        return True
