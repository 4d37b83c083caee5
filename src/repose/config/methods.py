"""The methods of `config.yaml`, and how they are trained."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from repose.config.section import Section


class Training(Section):
    """Optimiser, schedule and length of one training."""

    steps: PositiveInt = Field(description="optimiser steps")
    batch: PositiveInt = Field(8, description="triples per step")
    learning_rate: PositiveFloat = Field(1e-4, description="peak learning rate of Adam")
    betas: tuple[float, float] = Field((0.9, 0.999), description="Adam's decay rates")
    eps: PositiveFloat = Field(1e-8, description="Adam's epsilon")
    schedule: Literal["constant", "half-linear", "cosine"] = Field(
        "constant",
        description="constant; half-linear: constant for half the steps, then linear to 0 (3D-CoreNet); "
        "cosine: to 0 over all steps",
    )
    warmup: int = Field(0, ge=0, description="steps of linear warm-up")
    reconstruction_weight: PositiveFloat = Field(1.0, description="weight of the mean squared error, 1/m²")
    edge_weight: float = Field(0.0, ge=0, description="weight of the edge-length loss, no unit")
    warp_weight: float = Field(
        0.0, ge=0, description="weight of the mean squared error of a coarse warp, 1/m²; 0 as published"
    )
    points: int | None = Field(
        None,
        ge=16,
        description="vertices that a training step sees, of both meshes, drawn anew each step; null: all, as published",
    )
    validate_every: PositiveInt = Field(100, description="steps between validations, checkpoints included")


class Learned(Section):
    """What every learned method has."""

    learned: ClassVar[bool] = True
    task: ClassVar[str] = "transfer"  # the module of `repose.train.tasks` that trains it

    training: Training = Field(description="optimiser, schedule and length")


class Npt(Learned):
    """Neural Pose Transfer (Wang et al., CVPR 2020)."""

    architecture: Literal["npt"]
    width: PositiveInt = Field(1024, description="channels of the pose feature; 1024 as published")
    pooling: Literal["max", "none"] = Field(
        "max",
        description="max: one pose feature for the mesh, any vertex counts; none: the original, equal counts",
    )


class AblatedCoreNet(Learned):
    """3D-CoreNet with a part taken out (repose/models/corenet_ablated.py says what takes its place)."""

    architecture: Literal["corenet-ablated"]
    width: PositiveInt = Field(256, description="channels of the correspondence features; 256 as published")
    residual_blocks: PositiveInt = Field(
        4, description="residual blocks of the feature extractor; 4 as published"
    )
    refine_width: PositiveInt = Field(
        1024, description="channels of the refinement generator; 1024 as published"
    )
    elain: bool = Field(True, description="false: plain conditional instance norm in the place of ElaIN")
    warp: bool = Field(
        True,
        description="false: the generator gets the identity and a pooled pose feature, not the warped pose mesh",
    )


class CoreNet(Learned):
    """3D-CoreNet (Song et al., NeurIPS 2021): optimal-transport correspondence, then ElaIN refinement."""

    architecture: Literal["corenet"]
    width: PositiveInt = Field(256, description="channels of the correspondence features; 256 as published")
    residual_blocks: PositiveInt = Field(
        4, description="residual blocks of the feature extractor; 4 as published"
    )
    refine_width: PositiveInt = Field(
        1024, description="channels of the refinement generator; 1024 as published"
    )
    faithful: bool = Field(
        False,
        description="true: the refiner's first layer has kernel 3 along the vertex index, as released, and its result "
        "depends on the order of vertices; false: kernel 1",
    )


class MapConNetTraining(Training):
    """Training of MAPConNet; the defaults are the published values."""

    batch: PositiveInt = Field(2, description="triples per step")
    betas: tuple[float, float] = Field((0.0, 0.9), description="Adam's decay rates")
    eps: PositiveFloat = Field(
        1e-3, description="Adam's epsilon; the size of the loss weights matters with it"
    )
    schedule: Literal["constant", "half-linear", "cosine"] = Field(
        "half-linear",
        description="constant; half-linear: constant for half the steps, then linear to 0; cosine: to 0 over all steps",
    )
    reconstruction_weight: PositiveFloat = Field(1000.0, description="weight of the mean squared error, 1/m²")
    edge_weight: float = Field(0.5, ge=0, description="weight of the edge-length loss, no unit")
    mesh_weight: float = Field(1.0, ge=0, description="weight of the mesh-level contrastive loss, no unit")
    point_weight: float = Field(1.0, ge=0, description="weight of the point-level contrastive loss, no unit")
    mesh_margin: float = Field(1.0, ge=0, description="margin of the mesh-level loss, unit of features")
    point_margin: float = Field(1.0, ge=0, description="margin of the point-level loss, unit of features")
    labelled: float = Field(
        100,
        ge=0,
        le=100,
        description="percent of the training identities, and of the poses, that are labelled, chosen as released",
    )
    unlabelled: bool = Field(
        False, description="train on the other identities and poses, too, without any truth"
    )

    @model_validator(mode="after")
    def _something_to_train_on(self) -> "MapConNetTraining":
        if self.labelled == 100 and self.unlabelled:
            raise ValueError("with labelled: 100 nothing is left for unlabelled: true")
        if self.labelled == 0 and not self.unlabelled:
            raise ValueError("labelled: 0 needs unlabelled: true")
        return self


class MapConNet(Learned):
    """MAPConNet (Sun et al., ICCV 2023): 3D-CoreNet with contrastive losses; needs no truth if not given any."""

    task: ClassVar[str] = "mapconnet"

    architecture: Literal["mapconnet"]
    width: PositiveInt = Field(256, description="channels of the correspondence features; 256 as published")
    identity_channels: PositiveInt = Field(
        128,
        description="channels, of those, that describe the identity and condition the generator; 128 as published",
    )
    residual_blocks: PositiveInt = Field(
        4, description="residual blocks of the feature extractor; 4 as published"
    )
    refine_width: PositiveInt = Field(
        1024, description="channels of the refinement generator; 1024 as published"
    )
    faithful: bool = Field(
        False,
        description="true: the refiner's first layer has kernel 3 along the vertex index, as released, and its result "
        "depends on the order of vertices; false: kernel 1",
    )
    training: MapConNetTraining = Field(description="optimiser, schedule and length")

    @model_validator(mode="after")
    def _two_halves(self) -> "MapConNet":
        if self.identity_channels >= self.width:
            raise ValueError(
                f"identity_channels {self.identity_channels} must be less than width {self.width}"
            )
        return self


class Copy(Section):
    """A floor without parameters: the identity mesh, or the posed mesh, unchanged."""

    learned: ClassVar[bool] = False
    task: ClassVar[str] = ""

    architecture: Literal["copy"]
    mesh: Literal["identity", "pose"] = Field(
        description="which of the two to copy; pose uses the true correspondence, which no learned method is given"
    )


Method = Annotated[Npt | CoreNet | AblatedCoreNet | MapConNet | Copy, Field(discriminator="architecture")]
