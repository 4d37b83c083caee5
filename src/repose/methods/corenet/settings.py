"""Settings of 3D-CoreNet and of its ablations."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.methods.settings import SizeFree, Training, TrainingByTruths


class Refined(SizeFree):
    """Settings of methods whose generator refines a coarse warp: 3D-CoreNet, MAPConNet, X-DualNet."""

    refine_width: PositiveInt = Field(
        1024, description="channels of the refinement generator; 1024 as published"
    )
    residual: bool = Field(
        False,
        description=(
            "true: the generator's output, which is zero at first, is added to the coarse warp, or to the "
            "identity if there is no warp; false: the output is the result, as published"
        ),
    )


class MatchedAndRefined(Refined):
    """Settings of methods that match by 3D-CoreNet's features."""

    width: PositiveInt = Field(256, description="channels of the correspondence features; 256 as published")
    residual_blocks: PositiveInt = Field(
        4, description="residual blocks of the feature extractor; 4 as published"
    )


class SlowedTraining(Training):
    """Settings that the trainings of MAPConNet and X-DualNet share; the defaults are the published values."""

    betas: tuple[float, float] = Field((0.0, 0.9), description="Adam's decay rates")
    eps: PositiveFloat = Field(
        1e-3, description="Adam's epsilon; because of it the absolute size of the loss weights matters"
    )
    schedule: Literal["constant", "half-linear", "cosine"] = Field(
        "half-linear",
        description="constant; half-linear: constant for half the steps, then linear to 0; cosine: to 0 over all steps",
    )
    edge_weight: float = Field(0.5, ge=0, description="weight of the edge-length loss, no unit")


class CoreNetSettings(MatchedAndRefined):
    """3D-CoreNet (Song et al., NeurIPS 2021): optimal-transport correspondence, then ElaIN refinement."""

    network: ClassVar[str] = "repose.methods.corenet.network:CoreNet"

    architecture: Literal["corenet"]
    faithful: bool = Field(
        False,
        description="true: the refiner's first layer has kernel 3 along the vertex index, as released, and its result "
        "depends on the order of vertices; false: kernel 1",
    )
    training: TrainingByTruths = Field(description="optimiser, schedule and length")


class AblatedCoreNetSettings(MatchedAndRefined):
    """3D-CoreNet with a part taken out (repose/methods/corenet/ablated.py says what replaces it)."""

    network: ClassVar[str] = "repose.methods.corenet.ablated:AblatedCoreNet"

    architecture: Literal["corenet-ablated"]
    elain: bool = Field(True, description="false: ElaIN is replaced by plain conditional instance norm")
    warp: bool = Field(
        True,
        description="false: the generator gets the identity and a pooled pose feature, not the warped pose mesh",
    )
    training: TrainingByTruths = Field(description="optimiser, schedule and length")
