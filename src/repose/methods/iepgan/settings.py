"""Settings of IEP-GAN."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.methods.settings import LearnedTransfer, Told, Training


class AdversarialTraining(Training):
    """The recipe of IEP-GAN: pairs of meshes without labels, two discriminators, distances along the surface."""

    learning_rate: PositiveFloat = Field(5e-5, description="peak learning rate of Adam")
    betas: tuple[float, float] = Field((0.0, 0.99), description="Adam's decay rates")
    reconstruction_weight: PositiveFloat = Field(
        1.0, description="weight of the mean absolute error of self-reconstruction, 1/m"
    )
    edge_weight: float = Field(
        5e-4,
        ge=0,
        description="weight of the edge-length loss of the transfer against the identity mesh, no unit",
    )
    warp_weight: float = Field(
        1.0,
        ge=0,
        description=(
            "weight of the mean squared error of the learned correspondence, 1/m²; used only with "
            "correspondence: learned"
        ),
    )
    local_weight: float = Field(
        3.445,
        ge=0,
        description="weight of the mean squared change of edge vectors in self-reconstruction (CDC), 1/m²",
    )
    gih_weight: float = Field(
        0.02, ge=0, description="weight of the mean squared change of distances along the patches, 1/m²"
    )
    adversarial_weight: float = Field(1.0, ge=0, description="weight of the discriminator of meshes, no unit")
    cooccurrence_weight: float = Field(
        1.0, ge=0, description="weight of the discriminator of smoothed patches, no unit"
    )
    r1_weight: float = Field(10.0, ge=0, description="R1 penalty of the discriminator of meshes, m²")
    cooccurrence_r1_weight: float = Field(
        1.0, ge=0, description="R1 penalty of the discriminator of patches, m²"
    )
    r1_every: PositiveInt = Field(
        16, description=("steps between two R1 penalties, each of which is weighted by this number")
    )
    swap_from: int = Field(0, ge=0, description="steps of self-reconstruction alone, before transfers count")
    intrinsic_from: int = Field(0, ge=0, description="step from which distances along patches count")
    ema_images: PositiveFloat = Field(
        10_000, description="half-life of the averaged weights that predict, in pairs seen"
    )
    patches: PositiveInt = Field(4, description="number of disjoint patches in a step; fewer if no more fit")
    patch_vertices: int = Field(
        600, ge=10, description="patches grow by whole rings until they have at least so many vertices"
    )
    seeds: Literal["adaptive", "random"] = Field(
        "adaptive",
        description=(
            "adaptive: patches start where the edge lengths of recent transfers are most wrong; random: "
            "at random vertices"
        ),
    )
    target: Literal["patch", "full-block"] = Field(
        "patch",
        description=(
            "which distances are matched. patch: those along the same patch of the identity mesh; "
            "full-block: those along the whole identity mesh, read from results/gih/{dataset}.zarr"
        ),
    )
    smoothing: PositiveInt = Field(
        19, description="largest number of smoothing rounds of a patch that the discriminator sees"
    )
    patch_points: int = Field(
        120, ge=8, description="vertices of a smoothed patch that the discriminator sees"
    )
    references: PositiveInt = Field(
        2, description=("number of smoothed pose patches that each patch is compared with")
    )
    discriminator_width: PositiveInt = Field(
        1024, multiple_of=4, description="channels of the discriminator of meshes; 1024 as published"
    )
    cooccurrence_width: PositiveInt = Field(
        256, multiple_of=4, description="channels of the discriminator of patches; 256 as published"
    )


class IepGanSettings(LearnedTransfer):
    """IEP-GAN (Chen et al., ICCV 2021): unsupervised transfer that keeps distances along the surface."""

    network: ClassVar[str] = "repose.methods.iepgan.network:network"

    architecture: Literal["iepgan"]
    width: int = Field(
        512, ge=16, multiple_of=8, description="channels of the encoder's trunk; 512 as published"
    )
    pose_channels: PositiveInt = Field(
        32, description="channels of the pose code of a vertex; 32 as published"
    )
    generator_width: int = Field(
        128, multiple_of=4, ge=8, description="channels of the generator's first block; 32 as released"
    )
    correspondence: Literal["registered", "learned"] = Field(
        "registered",
        description=(
            "registered: vertex i of both meshes is the same place on the body, as published, and the "
            "network relies on it; learned: the network finds the correspondence itself, for any vertex "
            "counts and orders"
        ),
    )
    matcher_width: int = Field(128, ge=8, multiple_of=2, description="channels of the learned correspondence")
    faithful: bool = Field(
        False,
        description=(
            "true: the released recipe and networks with their defects, as far as they run, for "
            "registered meshes only: the first steps are supervised by a truth, distances are compared "
            "with zero on one patch, and nothing is learned from smoothed patches"
        ),
    )
    training: AdversarialTraining = Field(description="optimiser, schedule and weights of the losses")

    @property
    def recipe(self) -> str:  # type: ignore[override]
        """The training recipe: ours, or the released one."""
        return f"repose.methods.iepgan.{'released:Released' if self.faithful else 'recipe:'}IepGanRecipe"

    @property
    def reads_gih(self) -> bool:
        """Whether training needs the distances of the dataset."""
        s = self.training
        counts = s.gih_weight > 0 and max(s.swap_from, s.intrinsic_from) < s.steps
        return counts and s.target == "full-block" and not self.faithful

    @property
    def told(self) -> frozenset[Told]:
        """No truth, except in the first stages of the released recipe; registration for a learned correspondence."""
        relies = self.correspondence == "registered" or self.training.warp_weight > 0
        told = {Told.TRUTH} if self.faithful else set()
        return frozenset(told | ({Told.REGISTRATION} if relies else set()))
