"""Settings of X-DualNet."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.methods.corenet.settings import Refined, SlowedTraining
from repose.methods.settings import Told


class XDualNetTraining(SlowedTraining):
    """Training of X-DualNet; the defaults are the published values."""

    batch: PositiveInt = Field(4, description="pairs of meshes per step; 4 people or 6 animals as published")
    reconstruction_weight: PositiveFloat = Field(
        1000.0, description="weight of the mean squared errors of both reconstructed meshes, 1/m²"
    )
    backward_weight: float = Field(
        100.0,
        ge=0,
        description=(
            "weight of the mean squared error of the pose mesh carried to the identity and back, 1/m²"
        ),
    )
    warp_weight: float = Field(
        0.0,
        ge=0,
        description=(
            "weight of the mean squared errors of the coarse warps of both reconstructed meshes, 1/m²; "
            "0 as published"
        ),
    )
    arap_from: PositiveInt | None = Field(
        None,
        description=(
            "steps after which the network's result is replaced by the identity mesh, deformed as "
            "rigidly as possible towards it; three quarters of all steps as published; null: never"
        ),
    )
    arap_handles: float = Field(
        0.1,
        gt=0,
        le=1,
        description=(
            "share of the vertices that are handles of the deformation, placed where the network has "
            "them; drawn anew each step among those that the step sees; 0.1 as published"
        ),
    )
    arap_iterations: PositiveInt = Field(50, description="iterations of the deformation; 50 as published")


class XDualNetSettings(Refined):
    """X-DualNet (Song et al., TPAMI 2023): 3D-CoreNet with neighbourhood features, which learns from any two meshes."""

    network: ClassVar[str] = "repose.methods.xdualnet.network:XDualNet"
    recipe: ClassVar[str | None] = "repose.methods.xdualnet.recipe:XDualNetRecipe"

    architecture: Literal["xdualnet"]
    width: PositiveInt = Field(
        128, multiple_of=4, description="channels of the features, a multiple of 4; 128 as published"
    )
    neighbours: PositiveInt = Field(
        32, description="vertices in the neighbourhood of a vertex, itself among them; 32 as published"
    )
    graph_vertices: PositiveInt | None = Field(
        None,
        description=(
            "on a mesh with r times as many vertices every r-th nearest one is a neighbour, so that "
            "neighbourhoods are as wide as on a mesh of this many; null: the nearest ones, as published"
        ),
    )
    faithful: bool = Field(
        False,
        description=(
            "true: as released (docs/xdualnet.md): the refiner's first layer has kernel 3 along the "
            "vertex index, the mesh carried back is not normalised, and the edge loss is a constant "
            "where ARAP is on"
        ),
    )
    training: XDualNetTraining = Field(description="optimiser, schedule and length")

    @property
    def told(self) -> frozenset[Told]:
        """Only pairs of meshes."""
        return frozenset()
