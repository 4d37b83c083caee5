"""Settings of Neural Jacobian Fields."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.methods.settings import LearnedTransfer, Told, Training


class NjfTraining(Training):
    """Training of Neural Jacobian Fields; the defaults are those of the released code."""

    learning_rate: PositiveFloat = Field(1e-3, description="peak learning rate of Adam")
    jacobian_weight: float = Field(
        1.0, ge=0, description="weight of the mean squared error of Jacobians along the surface, no unit"
    )


class NjfSettings(LearnedTransfer):
    """Neural Jacobian Fields (Aigerman et al., SIGGRAPH 2022): a Jacobian for each face of the body at rest."""

    network: ClassVar[str] = "repose.methods.njf.network:Njf"
    recipe: ClassVar[str | None] = "repose.methods.njf.recipe:NjfRecipe"

    architecture: Literal["njf"]
    rest_pose: int = Field(
        0, ge=0, description="number of the pose at rest; every identity must have it (open data: 0)"
    )
    width: PositiveInt = Field(
        128, multiple_of=4, description="channels of both perceptrons, a multiple of 4; 128 as published"
    )
    code: PositiveInt = Field(
        1000, multiple_of=8, description="channels of a mesh's code, a multiple of 8; 1000 as published"
    )
    faithful: bool = Field(
        False,
        description="true: the perceptron sees the codes of the pose mesh and of the identity, as released; false: "
        "what the pose changes in the code of its own body",
    )
    training: NjfTraining = Field(description="optimiser, schedule and length")

    @property
    def told(self) -> frozenset[Told]:
        """The truths of the training triples, and both bodies at rest."""
        return frozenset({Told.TRUTH, Told.REST_BODIES})
