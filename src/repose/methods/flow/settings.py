"""Settings of dense appearance flow, its ablations, and the features of its perceptual loss."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from repose.medium import Medium
from repose.methods.settings import LearnedMethod, Part, Schedule, same
from repose.section import Name, Section


class FlowNetwork(Section):
    """A network that finds flow and visibility between two poses."""

    network: Literal["unet", "unet_v2"] = Field(
        description="unet: like FlowNet, as published for fashion; unet_v2: residual"
    )
    width: PositiveInt = Field(32, description="channels of the first layers; 32 as published")
    widest: PositiveInt | None = Field(
        None, description="upper limit of the channels; null: 512 for unet, 128 for unet_v2, as published"
    )
    levels: PositiveInt = Field(
        5,
        description=(
            "levels of the pyramid; 5 as published at 256², 4 at 128 × 64; the sides of an image must "
            "be multiples of 2^(levels + 1)"
        ),
    )


class FlowTraining(Schedule):
    """Training of flow and visibility; the defaults are the published values."""

    weight_decay: float = Field(4e-4, ge=0, description="Adam's L2 penalty")
    halve_every: PositiveInt | None = Field(
        None,
        description=(
            "steps after which the learning rate is halved again, in addition to the schedule; 8 epochs "
            "as published"
        ),
    )
    flow_weight: float = Field(1.0, ge=0, description="weight of the flow's error over the pyramid, no unit")
    flow_error: Literal["l2", "l1"] = Field(
        "l2", description=("l2: length of the error; l1: mean of the absolute values of its components")
    )
    pyramid_weights: list[float] | None = Field(
        None,
        description=(
            "weights of the levels, finest first; null: 0.32 / 2^k as released; an earlier released "
            "version had [0.005, 0.01, 0.02, 0.08, 0.32], coarsest heaviest"
        ),
    )
    visibility_weight: float = Field(1.0, ge=0, description="weight of the visibility's cross entropy")
    segmentation_weight: float = Field(
        5.0, ge=0, description="weight of the error of visible pixels that point to another part of the body"
    )
    shift: tuple[int, int] = Field(
        (0, 0),
        description=(
            "largest shift of the target in training, right and down, in pixels; (20, 10) at 256², (5, "
            "5) at 128 × 64 as published"
        ),
    )


class Perceptual(Section):
    """Which features the perceptual loss compares; all methods of one table must use the same."""

    features: Literal["none", "random", "trained", "vgg19"] = Field(
        "none",
        description=(
            "none: no perceptual loss; random: a small network of fixed random weights; trained: the "
            "same network, trained by this workflow; vgg19: the published one, with user-supplied "
            "weights"
        ),
    )
    method: Name | None = Field(
        None, description=("the method of architecture image-features that is used, for trained")
    )
    weights: str | None = Field(None, description="file of VGG-19 weights, .safetensors or .pth, for vgg19")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="sha256 of the file `weights`; another file is refused"
    )

    @model_validator(mode="after")
    def _weights_go_with_features(self) -> "Perceptual":
        if (self.features == "vgg19") != (self.weights is not None and self.sha256 is not None):
            raise ValueError("weights and sha256 belong to features: vgg19, both of them")
        if (self.features == "trained") != (self.method is not None):
            raise ValueError("method belongs to features: trained")
        return self


class TransferTraining(Schedule):
    """Training of a generator; the defaults are the published values."""

    learning_rate: PositiveFloat = Field(2e-4, description="peak learning rate of Adam")
    betas: tuple[float, float] = Field((0.5, 0.999), description="Adam's decay rates")
    flow: Name | None = Field(None, description="method whose trained flow network is used, frozen")
    generator: Name | None = Field(
        None, description="method whose trained generator is used, frozen, for pixel_warp: true"
    )
    l1_weight: float = Field(1.0, ge=0, description="weight of the mean absolute error in [-1, 1]")
    perceptual: Perceptual = Field(Perceptual(), description="which features are compared")
    perceptual_weight: float = Field(1.0, ge=0, description="weight of the features' mean absolute error")
    shift: tuple[int, int] = Field(
        (0, 0),
        description=(
            "largest shift of the target in training, right and down, in pixels; (10, 10) at 128 × 64 "
            "as published, none at 256²"
        ),
    )
    scale: float = Field(
        1.0,
        ge=1,
        description=(
            "largest factor by which the target is enlarged or reduced in training, about its middle; "
            "1.2 at 128 × 64 as published, 1 (none) at 256²"
        ),
    )
    adversarial_weight: float = Field(
        0.01, ge=0, description=("weight of the discriminator; 0: no discriminator")
    )
    adversarial_from: int = Field(
        0,
        ge=0,
        description=(
            "steps before the discriminator's loss counts; 5 epochs as published, so it counts from the sixth"
        ),
    )
    adversarial_loss: Literal["dcgan", "lsgan"] = Field(
        "dcgan", description=("dcgan: cross entropy; lsgan: squares")
    )
    discriminator_width: PositiveInt = Field(
        64, description="channels of the discriminator's first layer; 64 as published"
    )
    discriminator_learning_rate: PositiveFloat = Field(2e-5, description="learning rate of the discriminator")
    discriminator_weight_decay: float = Field(4e-4, ge=0, description="L2 penalty of the discriminator")


class ImageMethod(LearnedMethod):
    """What the learned methods of images share."""

    medium: ClassVar[Medium] = "images"

    joints: Literal["binary", "gaussian"] = Field(
        "binary",
        description="how a joint is drawn in the pose maps: 1 within the radius, or exp(-d²/radius²)",
    )
    radius: PositiveFloat = Field(
        8.0, description="radius of a joint, pixels; 8 as published at 256², 4 at 128 × 64"
    )


class FlowRegressionSettings(ImageMethod):
    """Flow and visibility from two poses alone (Li, Huang and Loy, CVPR 2019); its image is the warped source."""

    network: ClassVar[str] = "repose.methods.flow.flow_network:FlowRegression"
    recipe: ClassVar[str | None] = "repose.methods.flow.flow_recipe:FlowRegressionRecipe"

    architecture: Literal["flow-regression"]
    flow_network: FlowNetwork = Field(description="the network")
    faithful: bool = Field(
        False,
        description=(
            "true: coarse targets of the flow include the background's zeros in their mean, and "
            "visibility is smoothed by a median of 5×5, as released"
        ),
    )
    training: FlowTraining = Field(description="optimiser, schedule and weights of the losses")


class FlowTransferSettings(ImageMethod):
    """Person images in a new pose by warped features (Li, Huang and Loy, CVPR 2019), and its ablations."""

    network: ClassVar[str] = "repose.methods.flow.transfer_network:FlowTransfer"
    recipe: ClassVar[str | None] = "repose.methods.flow.transfer_recipe:FlowTransferRecipe"
    parts: ClassVar[tuple[Part, ...]] = (
        Part("flow", "training.flow", "flow-regression", same("flow_network", "joints", "radius")),
        # A generator under a mask is frozen, so it is built with the settings that it was trained with.
        Part(
            "generator",
            "training.generator",
            "flow-transfer",
            same(
                "generator",
                "width",
                "widest",
                "levels",
                "warped_levels",
                "gate",
                "joints",
                "radius",
                "faithful",
            ),
        ),
        Part("features", "training.perceptual.method", "image-features"),
    )
    alike_in_tables: ClassVar[tuple[str, ...]] = ("training.perceptual",)

    architecture: Literal["flow-transfer"]
    generator: Literal["unet", "dual-unet"] = Field(
        "dual-unet", description="unet: one encoder for image and pose; dual-unet: one for each"
    )
    width: PositiveInt = Field(32, description="channels at full resolution; 32 as published")
    widest: PositiveInt = Field(128, description="upper limit of the channels; 128 as published")
    levels: PositiveInt = Field(
        7,
        description=(
            "levels of the generator; 7 as published at 256², 5 at 128 × 64; the sides of an image must "
            "be multiples of 2^levels"
        ),
    )
    warped_levels: int = Field(
        0,
        ge=0,
        description=(
            "number of levels whose features are warped; 5 as published at 256², 4 at 128 × 64; 0: none"
        ),
    )
    gate: Literal["none", "hard-gate", "soft-gate", "residual", "residual-without-visibility"] = Field(
        "residual", description="how warped features are gated by their visibility; residual as published"
    )
    pixel_warp: bool = Field(
        False, description="blend the generator's image with the warped source by a mask"
    )
    flow_network: FlowNetwork | None = Field(
        None,
        description=(
            "the flow network, that of the method training.flow; keys that are left out, and joints and "
            "radius, are taken from that method; null for a variant without flow"
        ),
    )
    faithful: bool = Field(
        False,
        description=(
            "true: as released. Both encoders share the layers that halve the resolution; batch norms "
            "use the statistics of the batch in prediction, too; the predicted flow is zero on "
            "predicted background; targets are enlarged about the middle of an image with width and "
            "height exchanged; and pixels far beyond black or white have no gradient"
        ),
    )
    training: TransferTraining = Field(description="optimiser, schedule and weights of the losses")

    @model_validator(mode="after")
    def _parts_fit(self) -> "FlowTransferSettings":
        warps = self.warped_levels > 0 or self.pixel_warp
        if warps != (self.flow_network is not None) or warps != (self.training.flow is not None):
            raise ValueError("flow_network and training.flow belong to warped_levels > 0 or pixel_warp")
        if self.pixel_warp != (self.training.generator is not None):
            raise ValueError("training.generator belongs to pixel_warp: true")
        if self.warped_levels > (self.levels if self.generator == "dual-unet" else 0):
            raise ValueError("warped_levels must not be more than levels, and 0 with generator: unet")
        return self


class ImageFeaturesSettings(LearnedMethod):
    """Features for the perceptual loss, trained to segment the parts of the body in the dataset's own images."""

    medium: ClassVar[Medium] = "images"
    compared: ClassVar[bool] = False
    network: ClassVar[str] = "repose.methods.flow.features_network:ImageFeatures"
    recipe: ClassVar[str | None] = "repose.methods.flow.features_recipe:ImageFeaturesRecipe"

    architecture: Literal["image-features"]
    training: Schedule = Field(description="optimiser, schedule and length")
