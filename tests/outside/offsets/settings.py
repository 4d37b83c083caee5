"""What `config.yaml` says of the method. Snakemake reads this at every start: it imports no torch."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.methods.settings import LearnedTransfer


class OffsetsSettings(LearnedTransfer):
    """Each vertex of the identity mesh is moved by what a perceptron makes of its place and of the pose mesh."""

    network: ClassVar[str] = "offsets.network:Offsets"
    recipe: ClassVar[str | None] = "offsets.recipe:OffsetsRecipe"

    architecture: Literal["offsets"]
    width: PositiveInt = Field(64, description="channels of the perceptron")
