"""Settings of CGT."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.methods.settings import SizeFree, TrainingByTruths


class CgtTraining(TrainingByTruths):
    """Training of CGT; the loss weights are those of the released script."""

    edge_weight: float = Field(5e-4, ge=0, description="weight of the edge-length loss, no unit")
    central_weight: float = Field(
        5e-4,
        ge=0,
        description=(
            "weight of the central-geodesic loss, 1/m²; the loss is a sum over the vertices, and the published "
            "weight is for 6890 of them: smaller meshes need a larger one"
        ),
    )


class CgtSettings(SizeFree):
    """The geometry-contrastive Transformer (Chen et al., AAAI 2022): NPT with attention between both meshes."""

    network: ClassVar[str] = "repose.methods.cgt.network:Cgt"
    recipe: ClassVar[str | None] = "repose.methods.cgt.recipe:CgtRecipe"
    not_of_network: ClassVar[frozenset[str]] = SizeFree.not_of_network | {"faithful"}

    architecture: Literal["cgt"]
    width: PositiveInt = Field(
        1024, multiple_of=4, description="channels of the features, a multiple of 4; 1024 as published"
    )
    faithful: bool = Field(
        False,
        description="true: the central-geodesic loss is that of one vertex, as released; false: of all vertices",
    )
    training: CgtTraining = Field(description="optimiser, schedule and length")

    @property
    def equal_counts(self) -> bool:
        """True: attention gives a vertex of the identity the value of one vertex of the pose mesh."""
        return True
