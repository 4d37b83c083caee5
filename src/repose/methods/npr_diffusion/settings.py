"""Settings of the diffusion of poses."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.medium import Medium
from repose.methods.npr.settings import NprNetwork, Refined
from repose.methods.settings import LearnedMethod, Part, Schedule, Told, same
from repose.section import Name


class NprDiffusionTraining(Schedule):
    """Training of the two diffusion models on the codes of one body's training poses."""

    learning_rate: PositiveFloat = Field(1e-3, description="peak learning rate of Adam; 1e-3 as published")
    poses_of: Name = Field(
        description=(
            "method of architecture npr whose trained codes the diffusion learns; its network is frozen"
        )
    )
    source: int | None = Field(
        None,
        ge=0,
        description="the identity that it has learned from; null: the first of the training identities",
    )
    ema: float = Field(
        0.999,
        ge=0,
        lt=1,
        description=("decay of the exponentially averaged weights, which are used to generate poses"),
    )
    jitter: float = Field(
        0.01,
        ge=0,
        description=(
            "noise on the keypoints that condition the features, in units of the longest side of the body"
        ),
    )


class NprDiffusionSettings(Refined, LearnedMethod):
    """New poses by cascaded diffusion (Neural Pose Representation, section 3.5): keypoints, then their features."""

    medium: ClassVar[Medium] = "poses"
    network: ClassVar[str] = "repose.methods.npr_diffusion.network:NprDiffusion"
    recipe: ClassVar[str | None] = "repose.methods.npr_diffusion.recipe:NprDiffusionRecipe"
    parts: ClassVar[tuple[Part, ...]] = (
        Part(
            "poses_of",
            "training.poses_of",
            "npr",
            {f"npr.{name}": name for name in NprNetwork.model_fields} | same("training.source"),
        ),
    )

    architecture: Literal["npr-diffusion"]
    npr: NprNetwork = Field(
        NprNetwork(),
        description=(
            "the NPR network of training.poses_of; keys that are left out are taken from that method"
        ),
    )
    width: PositiveInt = Field(256, multiple_of=4, description="channels of both diffusion models")
    layers: PositiveInt = Field(6, description="layers of both diffusion models")
    sampler_steps: PositiveInt | None = Field(
        None,
        le=1000,
        description=(
            "null: all 1,000 steps, each with new noise (DDPM), as published; or this many without new "
            "noise (DDIM)"
        ),
    )
    predicts: Literal["noise", "velocity"] = Field(
        "noise",
        description=(
            "what both models predict: the noise, as published; or the velocity, which weights data and "
            "noise equally, so that few training steps suffice to learn how the keypoints of a pose "
            "belong together"
        ),
    )
    training: NprDiffusionTraining = Field(description="optimiser, schedule and length")

    @property
    def told(self) -> frozenset[Told]:
        """The body at rest that poses are generated for."""
        return frozenset({Told.REST_BODIES})

    @property
    def source(self) -> int | None:
        """The identity that it learns from, if it is not the first training identity."""
        return self.training.source
