"""Settings of Neural Pose Representation."""

from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from repose.methods.settings import Borrower, LearnedTransfer, Shared, Told, Training
from repose.section import Section


class NprNetwork(Section):
    """Pose extractor and pose applier of Neural Pose Representation."""

    rest_pose: int = Field(
        0, ge=0, description="number of the pose at rest; every identity must have it (open data: 0)"
    )
    anchors: Literal["posed", "rest"] = Field(
        "posed",
        description=(
            "where the keypoints of a pose are. posed: on the posed body, as published; rest: on the "
            "body at rest, where the keypoints of a limb stay with the limb"
        ),
    )
    width: PositiveInt = Field(256, description="channels of a keypoint; 256 as published")
    fine_width: PositiveInt = Field(120, description="channels of a face; 120 as published")
    middle: int = Field(500, ge=8, description="faces kept by the first downsampling; 500 as published")
    keypoints: int = Field(100, ge=8, description="keypoints of a pose; 100 as published")
    attention: PositiveInt = Field(200, description="channels of the applier's attention; 200 as published")
    hidden: PositiveInt = Field(128, description="channels of the applier's perceptron; 128 as published")

    @model_validator(mode="after")
    def _fewer_keypoints(self) -> "NprNetwork":
        if self.keypoints > self.middle:
            raise ValueError(f"keypoints {self.keypoints} must not be more than middle {self.middle}")
        return self


class Refined(Borrower):
    """Settings of a method that may refine codes for each body that they are applied to."""

    shared: ClassVar[Shared | None] = Shared("weights_of", but_for=frozenset({"refine_steps", "weights_of"}))

    refine_steps: int = Field(
        0,
        ge=0,
        description=(
            "steps of refinement for each target identity, from its body at rest alone, at prediction time"
        ),
    )


class NprTraining(Training):
    """Training of Neural Pose Representation; the defaults are those of the released code."""

    batch: PositiveInt = Field(1, description="poses per step")
    source: int | None = Field(
        None,
        ge=0,
        description="the one identity that it learns from; null: the first of the training identities",
    )
    jacobian_weight: float = Field(
        0.0,
        ge=0,
        description="weight of the mean squared error of Jacobians along the surface, no unit; 0 as released",
    )


class NprSettings(NprNetwork, Refined, LearnedTransfer):
    """Neural Pose Representation (Yoo et al., NeurIPS 2024): learns from one identity, and knows bodies at rest."""

    network: ClassVar[str] = "repose.methods.npr.network:Npr"
    recipe: ClassVar[str | None] = "repose.methods.npr.recipe:NprRecipe"
    not_of_network: ClassVar[frozenset[str]] = LearnedTransfer.not_of_network
    shared: ClassVar[Shared | None] = Shared(
        "weights_of", but_for=frozenset({"refine_steps", "finish", "weights_of"})
    )

    architecture: Literal["npr"]
    training: NprTraining = Field(description="optimiser, schedule and length")

    @property
    def told(self) -> frozenset[Told]:
        """Both bodies at rest; it learns from poses of one body, without other bodies or transfers."""
        return frozenset({Told.REST_BODIES})

    def neighbour_settings(self) -> dict[str, Any]:
        """The settings that the neighbours of the training bodies depend on."""
        names = ("anchors", "rest_pose", "middle", "keypoints")
        return {name: getattr(self, name) for name in names} | {"source": self.training.source}
