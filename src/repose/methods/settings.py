"""Settings of all methods, learned or not. This module imports no torch, because Snakemake reads it at every start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from inspect import getfile
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.data.augmentation import Augmentation
from repose.medium import Medium
from repose.mesh.finish import Finish
from repose.section import Name, Section

SUPERVISED = "repose.methods.supervised:SupervisedRecipe"  # the training of methods that learn from truths


class Told(StrEnum):
    """What a method is told besides its inputs, which are two meshes, or an image and two sets of joints.

    TRUTH: in training, the desired output: the identity  in the pose of the pose mesh, or the target image and the flow
        to it. Every method's weights are chosen by the truths of the validation part; that does not count.
    REGISTRATION: in training or prediction, that vertex i of the identity mesh and of the pose mesh are the same place
        on the body. Registration among the poses of one body does not count.
    REST_BODIES: in training and prediction, the bodies at rest, with their faces.
    ANSWER: in prediction, the truth, or other true poses of the test body, so that the method is an oracle.
    """

    TRUTH = "truth"
    REGISTRATION = "registration"
    REST_BODIES = "rest bodies"
    ANSWER = "answer"


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

    A subclass declares what differs from the defaults. Its fields are the keys of the method in `config.yaml`, and the
    arguments of its network.

    Attributes:
        medium: what the method makes: meshes, images, or generated poses.
        network: `module:name` of a callable that takes the fields of the settings, except those in `not_of_network`,
            and returns a `torch.nn.Module`.
        recipe: `module:name` of its training, a `repose.methods.recipe.TrainingRecipe`; None: nothing to train.
        compared: whether it may stand in a table; False: it only serves other methods, or scores them.
        scores: for a scorer, which predictions it scores: generated images, or renders of predicted meshes.
        parts: trained weights of other methods that its training may start from.
        shared: the setting by which it uses the weights of another method instead of its own training; None: it cannot.
        alike_in_tables: dotted keys of settings that must be equal in all methods of one table that declare them,
            because their numbers cannot be compared otherwise.
    """

    medium: ClassVar[Medium] = "meshes"
    network: ClassVar[str]
    recipe: ClassVar[str | None] = None
    not_of_network: ClassVar[frozenset[str]] = frozenset({"architecture", "training"})
    compared: ClassVar[bool] = True
    scores: ClassVar[Literal["images", "renders"] | None] = None
    parts: ClassVar["tuple[Part, ...]"] = ()
    shared: ClassVar["Shared | None"] = None
    alike_in_tables: ClassVar[tuple[str, ...]] = ()

    architecture: str

    @property
    def learned(self) -> bool:
        """Whether it has a training, its own or another method's."""
        return self.recipe is not None

    @property
    def told(self) -> frozenset[Told]:
        """What it is told besides its inputs, in training or prediction, as shown in tables."""
        return frozenset()

    @property
    def equal_counts(self) -> bool:
        """Whether it needs two meshes with equal vertex counts."""
        return False

    @property
    def source(self) -> int | None:
        """The one identity that it learns from, if that is not the first training identity."""
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
    def starts_from(self) -> dict[str, str]:
        """Methods whose weights, for the same dataset and seed, its training is given, by the name of the part."""
        named = ((part.name, attrgetter(part.key)(self)) for part in self.parts)
        return {part: method for part, method in named if method}

    @property
    def shares_weights_with(self) -> str | None:
        """The method whose training gives it its weights; None: it has its own training, or none at all."""
        return getattr(self, self.shared.key) if self.shared else None

    @classmethod
    def about(cls) -> str:
        """The text of `about.md` beside the settings, for the method's page; empty if there is none.

        It states what the paper says, what the released code does, and what we do.
        """
        found = Path(getfile(cls)).with_name("about.md")
        return found.read_text(encoding="utf-8") if found.is_file() else ""

    @property
    def projection(self) -> Finish:
        """What its predicted meshes go through; see `Finished`."""
        return "none"

    def neighbour_settings(self) -> dict[str, Any] | None:
        """The settings that the neighbours in its training depend on (stage `neighbours`); None: it uses none."""
        return None


@dataclass(frozen=True)
class Part:
    """A part of a method whose trained weights come from another method, of the same dataset and seed.

    Attributes:
        name: the key of the weights in the `given` of the recipe's data.
        key: dotted key of the setting that names the other method; where it is null there is no such part.
        architecture: architecture of the methods that have this part.
        alike: dotted keys of settings that must be equal in both methods, this one's and the other's; where the
            configuration does not set this method's, it takes the other's value.
    """

    name: str
    key: str
    architecture: str
    alike: Mapping[str, str] = field(default_factory=dict)


def same(*keys: str) -> dict[str, str]:
    """Return dotted keys that are the same in both methods of a `Part`."""
    return dict(zip(keys, keys, strict=True))


@dataclass(frozen=True)
class Shared:
    """States that a method may use another one's weights if they differ only in settings that no weight depends on.

    Attributes:
        key: the field that names the other method, or null.
        but_for: the fields in which the two may differ.
    """

    key: str
    but_for: frozenset[str]


class LearnedMethod(MethodSettings):
    """A method that learns, by default from truths."""

    training: Schedule

    @property
    def told(self) -> frozenset[Told]:
        """The truths of the training examples."""
        return frozenset({Told.TRUTH})


class Borrower(MethodSettings):
    """A method that may use the weights of another one of its kind, for the same dataset and seed."""

    not_of_network: ClassVar[frozenset[str]] = MethodSettings.not_of_network | {"weights_of"}
    shared: ClassVar[Shared | None] = Shared("weights_of", but_for=frozenset({"weights_of"}))

    weights_of: Name | None = Field(
        None,
        description=(
            "method whose training it shares, for the same dataset and seed; all settings that affect "
            "weights are taken from there; null: it has its own training"
        ),
    )


class Finished(MethodSettings):
    """A method of meshes whose results may be projected onto deformations that the identity's surface allows."""

    not_of_network: ClassVar[frozenset[str]] = MethodSettings.not_of_network | {"finish"}

    finish: Finish = Field(
        "none",
        description=(
            "projection of the predictions (repose/mesh/projection.py). arap: the identity deformed as "
            "rigidly as possible towards them; rotations: the identity's faces rotated as in the "
            "prediction, without stretch; icp: as rotations, after the prediction is drawn to the "
            "surface of the pose mesh. If the method makes a coarse warp first, the warp is projected"
        ),
    )

    @property
    def projection(self) -> Finish:
        """As the settings say."""
        return self.finish


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
        description=(
            "number of vertices of both meshes that a training step sees, drawn anew each step; null: "
            "all, as published"
        ),
    )


class TrainingByTruths(Training):
    """Optimiser, schedule and length of one training of meshes whose triples have truths."""

    augment: Augmentation | None = Field(
        None, description="how the bodies of training triples are varied; null: not at all, as published"
    )


class LearnedTransfer(Finished, Borrower, LearnedMethod):
    """Settings of every learned method of meshes."""

    recipe: ClassVar[str | None] = SUPERVISED
    not_of_network: ClassVar[frozenset[str]] = Finished.not_of_network | Borrower.not_of_network
    shared: ClassVar[Shared | None] = Shared("weights_of", but_for=frozenset({"finish", "weights_of"}))

    training: Training = Field(description="optimiser, schedule and length")

    @property
    def sees_unit_area(self) -> bool:
        """Whether its network sees every mesh scaled to a surface area of 1 m²."""
        return False

    @property
    def augmentation(self) -> Augmentation | None:
        """The variation of the bodies of its training triples."""
        return self.training.augment if isinstance(self.training, TrainingByTruths) else None


class SizeFree(LearnedTransfer):
    """A learned method that can ignore the size of bodies."""

    unit_area: bool = Field(
        False,
        description=(
            "true: the network sees every mesh scaled to a surface area of 1 m², and its output is "
            "scaled back to the identity's size; false: metres, as published"
        ),
    )

    @property
    def sees_unit_area(self) -> bool:
        """It is as the settings state."""
        return self.unit_area
