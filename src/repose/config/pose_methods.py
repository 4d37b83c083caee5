"""The methods of `config.yaml` that make up poses, and the network of poses they stand on."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from repose.config.learned import Floor, Kind, Learnable, Schedule
from repose.config.section import Name, Section

OWN_BODY, NEW_BODY = (
    "own-body",
    "new-body",
)  # protocols: the body that was learned from, and the test identities


class NprNetwork(Section):
    """Pose extractor and pose applier of Neural Pose Representation."""

    rest_pose: int = Field(
        0, ge=0, description="number of the pose at rest; every identity must have it (open data: 0)"
    )
    anchors: Literal["posed", "rest"] = Field(
        "posed",
        description="where the keypoints of a pose are: on the posed body, as published; or on the body at rest, where "
        "those of a limb stay with the limb",
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


class Refined(Section):
    """Settings of a method whose codes may be refined for each body that they are applied to."""

    refine_steps: int = Field(
        0,
        ge=0,
        description="steps of refinement for each target identity, from its body at rest alone, when it is predicted",
    )
    weights_of: Name | None = Field(
        None,
        description="method whose training it shares, for the same dataset and seed: all settings but refine_steps are "
        "as there; null: it has a training of its own",
    )


class NprDiffusionTraining(Schedule):
    """Training of the two diffusion models on the codes of one body's training poses."""

    learning_rate: PositiveFloat = Field(1e-3, description="peak learning rate of Adam; 1e-3 as published")
    poses_of: Name = Field(description="method of architecture npr whose trained codes are learned, frozen")
    source: int | None = Field(
        None,
        ge=0,
        description="the identity that it has learned from; null: the first of the training identities",
    )
    ema: float = Field(
        0.999, ge=0, lt=1, description="share of the old value in the averaged weights, which draw"
    )
    jitter: float = Field(
        0.01,
        ge=0,
        description="noise on the keypoints that features are learned for, in units of the longest side of the body",
    )


class NprDiffusion(Refined, Learnable):
    """New poses by cascaded diffusion (Neural Pose Representation, section 3.5): keypoints, then their features."""

    kind: ClassVar[Kind] = "poses"
    task: ClassVar[str] = "npr_diffusion"

    architecture: Literal["npr-diffusion"]
    npr: NprNetwork = Field(description="the network of training.poses_of")
    width: PositiveInt = Field(256, multiple_of=4, description="channels of both diffusion models")
    layers: PositiveInt = Field(6, description="of both diffusion models")
    sampler_steps: PositiveInt | None = Field(
        None,
        le=1000,
        description="null: all 1,000 steps, each with new noise (DDPM), as published; or so many without (DDIM)",
    )
    predicts: Literal["noise", "velocity"] = Field(
        "noise",
        description="what both models say: the noise, as published; or the velocity, which counts the data as much as "
        "the noise, so that few steps of training learn how the keypoints of a pose belong together",
    )
    training: NprDiffusionTraining = Field(description="optimiser, schedule and length")

    @property
    def source(self) -> int | None:
        """The identity it learns from, if another than the first."""
        return self.training.source

    @property
    def starts_from(self) -> Mapping[str, str]:
        """The method whose codes it learns."""
        return {"poses_of": self.training.poses_of}

    def differs_from(self, given: Any) -> str | None:
        """A setting in which the method it starts from has another value."""
        for name in NprNetwork.model_fields:
            if getattr(given, name) != getattr(self.npr, name):
                return name
        return "training.source" if given.training.source != self.source else None


class RenderScorer(Learnable):
    """A classifier of bodies by their pictures that judges what others pose; a table names it as its `scorer`."""

    task: ClassVar[str] = "render_scorer"

    architecture: Literal["render-scorer"]
    training: Schedule = Field(description="optimiser, schedule and length")


class CopyPoses(Floor):
    """Poses without a model: a choice of the training poses, which is the ceiling, or always the pose at rest."""

    kind: ClassVar[Kind] = "poses"
    source: ClassVar[int | None] = None

    architecture: Literal["copy-poses"]
    poses: Literal["training", "rest"] = Field(description="which; of the very body that is asked for")
    rest_pose: int = Field(0, ge=0, description="number of the pose at rest")
