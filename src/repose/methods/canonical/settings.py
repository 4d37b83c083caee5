"""Settings of canonical coordinates."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.methods.settings import LearnedTransfer, Told, Training


class CanonicalTraining(Training):
    """Training of canonical coordinates."""

    surfaces: PositiveInt = Field(
        400, description="surfaces that it learns from: training meshes, most of them with other triangles"
    )


class CanonicalSettings(LearnedTransfer):
    """Canonical coordinates, the matcher of `repose transfer` (ours): no system has been published under this name.

    A surface is encoded as by DiffusionNet (Sharp et al., TOG 2022), and every vertex told where on one body at rest it
    would be, as in the Vitruvian manifold (Taylor et al., CVPR 2012). Vertices of two meshes match where they are told
    the same place.
    """

    network: ClassVar[str] = "repose.methods.canonical.network:CanonicalNetwork"
    recipe: ClassVar[str | None] = "repose.methods.canonical.recipe:CanonicalRecipe"
    not_of_network: ClassVar[frozenset[str]] = LearnedTransfer.not_of_network | {"rest_pose"}

    architecture: Literal["canonical"]
    width: PositiveInt = Field(128, description="channels of a vertex")
    blocks: PositiveInt = Field(4, description="blocks of diffusion")
    vibrations: int = Field(96, ge=8, description="eigenvectors of the surface that heat is spread by")
    finds_frame: bool = Field(
        False,
        description="true: a second network finds how a mesh is turned, which takes long to learn; false: meshes are "
        "upright and face +z, as those of all datasets are",
    )
    rest_pose: int = Field(
        0,
        ge=0,
        description="number of the pose that the body with the coordinates has (open data: 0, at rest)",
    )
    training: CanonicalTraining = Field(description="optimiser, schedule and length")

    @property
    def told(self) -> frozenset[Told]:
        """In training, which vertices of all bodies are the same place; no truth."""
        return frozenset({Told.REGISTRATION})

    @property
    def sees_unit_area(self) -> bool:
        """Always."""
        return True
