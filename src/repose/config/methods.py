"""The methods of `config.yaml`, and how they are trained."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from repose.config.image_methods import CopyImage, FlowRegression, FlowTransfer, ImageFeatures, ImageScorer
from repose.config.learned import Floor, Learnable, Schedule
from repose.config.pose_methods import CopyPoses, NprDiffusion, NprNetwork, Refined, RenderScorer


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


class Learned(Learnable):
    """What every learned method of meshes has."""

    training: Training = Field(description="optimiser, schedule and length")


class Npt(Learned):
    """Neural Pose Transfer (Wang et al., CVPR 2020)."""

    architecture: Literal["npt"]
    width: PositiveInt = Field(1024, description="channels of the pose feature; 1024 as published")
    pooling: Literal["max", "none"] = Field(
        "max",
        description="max: one pose feature for the mesh, any vertex counts; none: the original, equal counts",
    )


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
        description="weight of the mean squared error of the learned correspondence, 1/m²; "
        "only with correspondence: learned",
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
    r1_every: PositiveInt = Field(16, description="steps between R1 penalties, each as many times as heavy")
    swap_from: int = Field(0, ge=0, description="steps of self-reconstruction alone, before transfers count")
    intrinsic_from: int = Field(0, ge=0, description="step from which distances along patches count")
    ema_images: PositiveFloat = Field(
        10_000, description="half-life of the averaged weights that predict, in pairs seen"
    )
    patches: PositiveInt = Field(4, description="patches of a step, disjoint; fewer where no more fit")
    patch_vertices: int = Field(
        600, ge=10, description="patches grow by whole rings to at least so many vertices"
    )
    seeds: Literal["adaptive", "random"] = Field(
        "adaptive",
        description="adaptive: patches start where edge lengths of recent transfers are most wrong; random: anywhere",
    )
    target: Literal["patch", "full-block"] = Field(
        "patch",
        description="distances to match: patch: along the same patch of the identity mesh; full-block: along the whole "
        "identity mesh, read from results/gih/{dataset}.zarr",
    )
    smoothing: PositiveInt = Field(19, description="most rounds of smoothing of a patch that is judged")
    patch_points: int = Field(120, ge=8, description="vertices of a smoothed patch that are judged")
    references: PositiveInt = Field(2, description="smoothed pose patches that it is judged against")
    discriminator_width: PositiveInt = Field(
        1024, multiple_of=4, description="channels of the discriminator of meshes; 1024 as published"
    )
    cooccurrence_width: PositiveInt = Field(
        256, multiple_of=4, description="channels of the discriminator of patches; 256 as published"
    )


class IepGan(Learned):
    """IEP-GAN (Chen et al., ICCV 2021): unsupervised transfer that keeps distances along the surface."""

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
        description="registered: vertex i of both meshes is the same place on the body, as published, and the network "
        "relies on it; learned: it finds the places itself, for any vertex counts and orders",
    )
    matcher_width: int = Field(128, ge=8, multiple_of=2, description="channels of the learned correspondence")
    faithful: bool = Field(
        False,
        description="true: the released recipe and networks with their defects, as far as they run: a truth for the "
        "first steps, distances compared with zero on one patch, no learning from smoothed patches; registered only",
    )
    training: AdversarialTraining = Field(description="optimiser, schedule and weights of the losses")

    @property
    def task(self) -> str:  # type: ignore[override]
        """The module of `repose.train.tasks` that trains it."""
        return "iepgan_released" if self.faithful else "iepgan"

    @property
    def reads_gih(self) -> bool:
        """Whether training needs the distances of the dataset."""
        s = self.training
        counts = s.gih_weight > 0 and max(s.swap_from, s.intrinsic_from) < s.steps
        return counts and s.target == "full-block" and not self.faithful


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


class MapConNetTraining(Training):
    """Training of MAPConNet; the defaults are the published values."""

    batch: PositiveInt = Field(2, description="triples per step")
    betas: tuple[float, float] = Field((0.0, 0.9), description="Adam's decay rates")
    eps: PositiveFloat = Field(
        1e-3, description="Adam's epsilon; the size of the loss weights matters with it"
    )
    schedule: Literal["constant", "half-linear", "cosine"] = Field(
        "half-linear",
        description="constant; half-linear: constant for half the steps, then linear to 0; cosine: to 0 over all steps",
    )
    reconstruction_weight: PositiveFloat = Field(1000.0, description="weight of the mean squared error, 1/m²")
    edge_weight: float = Field(0.5, ge=0, description="weight of the edge-length loss, no unit")
    mesh_weight: float = Field(1.0, ge=0, description="weight of the mesh-level contrastive loss, no unit")
    point_weight: float = Field(1.0, ge=0, description="weight of the point-level contrastive loss, no unit")
    mesh_margin: float = Field(1.0, ge=0, description="margin of the mesh-level loss, unit of features")
    point_margin: float = Field(1.0, ge=0, description="margin of the point-level loss, unit of features")
    labelled: float = Field(
        100,
        ge=0,
        le=100,
        description="percent of the training identities, and of the poses, that are labelled, chosen as released",
    )
    unlabelled: bool = Field(
        False, description="train on the other identities and poses, too, without any truth"
    )

    @model_validator(mode="after")
    def _something_to_train_on(self) -> "MapConNetTraining":
        if self.labelled == 100 and self.unlabelled:
            raise ValueError("with labelled: 100 nothing is left for unlabelled: true")
        if self.labelled == 0 and not self.unlabelled:
            raise ValueError("labelled: 0 needs unlabelled: true")
        return self


class MapConNet(Learned):
    """MAPConNet (Sun et al., ICCV 2023): 3D-CoreNet with contrastive losses; needs no truth if not given any."""

    task: ClassVar[str] = "mapconnet"

    architecture: Literal["mapconnet"]
    width: PositiveInt = Field(256, description="channels of the correspondence features; 256 as published")
    identity_channels: PositiveInt = Field(
        128,
        description="channels, of those, that describe the identity and condition the generator; 128 as published",
    )
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
    training: MapConNetTraining = Field(description="optimiser, schedule and length")

    @model_validator(mode="after")
    def _two_halves(self) -> "MapConNet":
        if self.identity_channels >= self.width:
            raise ValueError(
                f"identity_channels {self.identity_channels} must be less than width {self.width}"
            )
        return self


class NprTraining(Training):
    """Training of Neural Pose Representation; the defaults are those of the released code."""

    batch: PositiveInt = Field(1, description="poses per step")
    source: int | None = Field(
        None,
        ge=0,
        description="the one identity that is learned from; null: the first of the training identities",
    )
    jacobian_weight: float = Field(
        0.0,
        ge=0,
        description="weight of the mean squared error of Jacobians along the surface, no unit; 0 as released",
    )


class Npr(NprNetwork, Refined, Learned):
    """Neural Pose Representation (Yoo et al., NeurIPS 2024): learns from one identity; is given bodies at rest."""

    task: ClassVar[str] = "npr"

    architecture: Literal["npr"]
    training: NprTraining = Field(description="optimiser, schedule and length")

    def neighbour_settings(self) -> dict[str, Any]:
        """What the neighbours of the bodies that it learns from depend on."""
        names = ("anchors", "rest_pose", "middle", "keypoints")
        return {name: getattr(self, name) for name in names} | {"source": self.training.source}


class Copy(Floor):
    """A floor without parameters: the identity mesh, or the posed mesh, unchanged."""

    architecture: Literal["copy"]
    mesh: Literal["identity", "pose"] = Field(
        description="which of the two to copy; pose uses the true correspondence, which no learned method is given"
    )


Method = Annotated[
    Npt
    | CoreNet
    | AblatedCoreNet
    | MapConNet
    | IepGan
    | Npr
    | NprDiffusion
    | RenderScorer
    | Copy
    | CopyPoses
    | FlowRegression
    | FlowTransfer
    | ImageFeatures
    | ImageScorer
    | CopyImage,
    Field(discriminator="architecture"),
]
