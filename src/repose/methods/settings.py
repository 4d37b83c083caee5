"""What the configuration says of every method, learned or not. Imports no torch: Snakemake reads it at every start."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.section import Section

Medium = Literal["meshes", "images", "poses"]  # poses: what a method generates, and is not told
SUPERVISED = "repose.methods.supervised:SupervisedRecipe"  # the training of those with a truth


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


class MethodSettings(Section):
    """What the workflow needs to know of a method, learned or not.

    Attributes:
        medium: what it makes: meshes, images, or poses that nobody asked for.
        network: `module:name` of what is called with the fields of the settings as arguments, but for those in
            `not_of_network`, and returns a `torch.nn.Module`.
        recipe: `module:name` of its training, a `repose.methods.recipe.TrainingRecipe`; None: nothing to train.
    """

    medium: ClassVar[Medium] = "meshes"
    network: ClassVar[str]
    recipe: ClassVar[str | None] = None
    not_of_network: ClassVar[frozenset[str]] = frozenset({"architecture", "training"})

    architecture: str

    @property
    def learned(self) -> bool:
        """Whether it has a training, its own or another method's."""
        return self.recipe is not None

    @property
    def source(self) -> int | None:
        """The one identity it learns from, if another than the first of the training identities."""
        return None

    @property
    def reads_gih(self) -> bool:
        """Whether training needs the distances of the dataset, `results/gih/{dataset}.zarr`."""
        return False

    @property
    def shares_batches(self) -> bool:
        """Whether several devices may share its batches: its losses are means over the batch."""
        return self.recipe == SUPERVISED

    @property
    def starts_from(self) -> Mapping[str, str]:
        """Methods whose weights, of the same dataset and seed, it is given: what for, and their names."""
        return {}


class LearnedMethod(MethodSettings):
    """A method that learns."""

    training: Schedule


class Baseline(MethodSettings):
    """A baseline or an oracle without parameters."""


class Training(Schedule):
    """Optimiser, schedule and length of one training of meshes."""

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


class LearnedTransfer(LearnedMethod):
    """What every learned method of meshes has."""

    recipe: ClassVar[str | None] = SUPERVISED

    training: Training = Field(description="optimiser, schedule and length")
