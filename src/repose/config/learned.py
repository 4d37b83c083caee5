"""What every method that learns has, and every floor, of meshes or of images."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.config.section import Section

Kind = Literal["meshes", "images", "poses"]  # poses: what a method makes up, and is not told


class Schedule(Section):
    """Optimiser and length of one training."""

    steps: PositiveInt = Field(description="optimiser steps")
    batch: PositiveInt = Field(8, description="triples, or pairs of images, per step")
    learning_rate: PositiveFloat = Field(1e-4, description="peak learning rate of Adam")
    betas: tuple[float, float] = Field((0.9, 0.999), description="Adam's decay rates")
    eps: PositiveFloat = Field(1e-8, description="Adam's epsilon")
    schedule: Literal["constant", "half-linear", "cosine"] = Field(
        "constant",
        description="constant; half-linear: constant for half the steps, then linear to 0 (3D-CoreNet); "
        "cosine: to 0 over all steps",
    )
    warmup: int = Field(0, ge=0, description="steps of linear warm-up")
    validate_every: PositiveInt = Field(100, description="steps between validations, checkpoints included")


class Learnable(Section):
    """What the stages `train` and `predict` need to know of a method that learns."""

    learned: ClassVar[bool] = True
    kind: ClassVar[Kind] = "meshes"  # what it learns from
    task: ClassVar[str] = "transfer"  # the module of `repose.train.tasks` that trains it

    architecture: str
    training: Schedule

    @property
    def reads_gih(self) -> bool:
        """Whether training needs the distances of the dataset, `results/gih/{dataset}.zarr`."""
        return False

    @property
    def starts_from(self) -> Mapping[str, str]:
        """Methods whose weights, of the same dataset and seed, it is given: what for, and their names."""
        return {}


class Floor(Section):
    """What the stages need to know of a method without parameters."""

    learned: ClassVar[bool] = False
    kind: ClassVar[Kind] = "meshes"
    task: ClassVar[str] = ""
    starts_from: ClassVar[Mapping[str, str]] = {}
    reads_gih: ClassVar[bool] = False

    architecture: str
