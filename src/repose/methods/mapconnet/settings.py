"""Settings of MAPConNet."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from repose.methods.corenet.settings import MatchedAndRefined, SlowedTraining
from repose.methods.settings import Told, TrainingByTruths


class MapConNetTraining(SlowedTraining, TrainingByTruths):
    """Training of MAPConNet; the defaults are the published values."""

    batch: PositiveInt = Field(2, description="triples per step")
    reconstruction_weight: PositiveFloat = Field(1000.0, description="weight of the mean squared error, 1/m²")
    mesh_weight: float = Field(1.0, ge=0, description="weight of the mesh-level contrastive loss, no unit")
    point_weight: float = Field(1.0, ge=0, description="weight of the point-level contrastive loss, no unit")
    mesh_margin: float = Field(
        1.0, ge=0, description=("margin of the mesh-level loss, in the unit of the features")
    )
    point_margin: float = Field(
        1.0, ge=0, description=("margin of the point-level loss, in the unit of the features")
    )
    labelled: float = Field(
        100,
        ge=0,
        le=100,
        description=(
            "percentage of the training identities, and of the poses, that are labelled, chosen as released"
        ),
    )
    unlabelled: bool = Field(
        False, description="also train on the other identities and poses, without any truth"
    )

    @model_validator(mode="after")
    def _something_to_train_on(self) -> "MapConNetTraining":
        if self.labelled == 100 and self.unlabelled:
            raise ValueError("with labelled: 100 nothing is left for unlabelled: true")
        if self.labelled == 0 and not self.unlabelled:
            raise ValueError("labelled: 0 needs unlabelled: true")
        if self.augment and self.unlabelled:
            raise ValueError("augment varies triples with truths, and with unlabelled: true there are others")
        return self


class MapConNetSettings(MatchedAndRefined):
    """MAPConNet (Sun et al., ICCV 2023): 3D-CoreNet with contrastive losses, which can also learn without truths."""

    network: ClassVar[str] = "repose.methods.mapconnet.network:MapConNet"
    recipe: ClassVar[str | None] = "repose.methods.mapconnet.recipe:MapConNetRecipe"

    architecture: Literal["mapconnet"]
    identity_channels: PositiveInt = Field(
        128,
        description=(
            "number of those channels that describe the identity and condition the generator; 128 as "
            "published"
        ),
    )
    faithful: bool = Field(
        False,
        description="true: the refiner's first layer has kernel 3 along the vertex index, as released, and its result "
        "depends on the order of vertices; false: kernel 1",
    )
    training: MapConNetTraining = Field(description="optimiser, schedule and length")

    @model_validator(mode="after")
    def _two_halves(self) -> "MapConNetSettings":
        if self.identity_channels >= self.width:
            raise ValueError(
                f"identity_channels {self.identity_channels} must be less than width {self.width}"
            )
        return self

    @property
    def told(self) -> frozenset[Told]:
        """The truths of the labelled part."""
        return frozenset({Told.TRUTH} if self.training.labelled > 0 else ())
