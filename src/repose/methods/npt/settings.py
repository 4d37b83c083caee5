"""Settings of NPT."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from repose.methods.settings import SizeFree, TrainingByTruths


class NptSettings(SizeFree):
    """Neural Pose Transfer (Wang et al., CVPR 2020)."""

    network: ClassVar[str] = "repose.methods.npt.network:Npt"

    architecture: Literal["npt"]
    width: PositiveInt = Field(1024, description="channels of the pose feature; 1024 as published")
    pooling: Literal["max", "none"] = Field(
        "max",
        description=(
            "max: one pooled pose feature per mesh, for any vertex counts; none: as in the paper, needs "
            "equal vertex counts"
        ),
    )
    training: TrainingByTruths = Field(description="optimiser, schedule and length")

    @property
    def equal_counts(self) -> bool:
        """Without pooling, each vertex uses the feature of one vertex of the pose mesh."""
        return self.pooling == "none"
