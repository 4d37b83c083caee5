"""The methods of `config.yaml`, and how they are trained."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

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


class Copy(Section):
    """A floor without parameters: the identity mesh, or the posed mesh, unchanged."""

    learned: ClassVar[bool] = False
    task: ClassVar[str] = ""

    architecture: Literal["copy"]
    mesh: Literal["identity", "pose"] = Field(
        description="which of the two to copy; pose uses the true correspondence, which no learned method is given"
    )


Method = Annotated[Npt | CoreNet | AblatedCoreNet | Copy, Field(discriminator="architecture")]
