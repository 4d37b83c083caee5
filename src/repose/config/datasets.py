"""The datasets of `config.yaml`."""

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, PositiveInt

from repose.numbers import Numbers, expand
from repose.section import Section

Protocol = Literal["unseen", "seen-pose", "one-source"]
RENDERED: Protocol = "one-source"  # whose transfers are scored by pictures, too
PARTS = ("train", "val", "test")
Motion = Literal[
    "hips", "knees", "light_hopping_stiff", "light_hopping_loose", "jiggle_on_toes", "one_leg_loose", "shake_arms",
    "chicken_wings", "punching", "shake_shoulders", "shake_hips", "jumping_jacks", "one_leg_jump", "running_on_spot",
]  # fmt: skip
MOTIONS: tuple[Motion, ...] = get_args(Motion)
FRAMES_PER_MOTION = 10_000  # more than the longest sequence has


class Parts(Section):
    """How many identities, or poses, go to each part of the split."""

    train: PositiveInt = Field(description="seen in training")
    val: PositiveInt = Field(description="used to choose the checkpoint")
    test: PositiveInt = Field(description="only used in the tables")

    @property
    def total(self) -> int:
        """All three parts together."""
        return self.train + self.val + self.test

    def numbers(self) -> dict[str, list[int]]:
        """The numbers of each part: the first to train, the next to val, the last to test."""
        cuts = (0, self.train, self.train + self.val, self.total)
        return {part: list(range(cuts[k], cuts[k + 1])) for k, part in enumerate(PARTS)}


class Choice(Section):
    """Which identities, or poses, go to each part of the split, by the dataset's own numbers."""

    train: Numbers = Field(description="seen in training")
    val: Numbers = Field(description="used to choose the checkpoint")
    test: Numbers = Field(description="only used in the tables")

    def numbers(self) -> dict[str, list[int]]:
        """The numbers of each part."""
        return {part: expand(getattr(self, part)) for part in PARTS}

    def all(self) -> list[int]:
        """The numbers of all parts, sorted."""
        return sorted({number for numbers in self.numbers().values() for number in numbers})


class Pairs(Section):
    """How many triples (identity mesh, pose mesh, truth) are drawn for each part of the split."""

    train: PositiveInt = Field(
        20_000, description="distinct training triples; training passes over them in order"
    )
    val: PositiveInt = Field(60, description="validation triples: new identities in new poses")
    test: PositiveInt = Field(100, description="test triples of each protocol")


class Paired(Section):
    """What every dataset has from which triples are drawn."""

    medium: ClassVar[Literal["meshes", "images"]] = "meshes"
    is_licensed: ClassVar[bool] = False
    has_truth: ClassVar[bool] = True  # whether equal pose numbers of two identities are the same pose

    identities: Parts | Choice = Field(description="identities")
    pairs: Pairs = Field(Pairs(), description="triples")
    seed: int = Field(0, ge=0, description="what is drawn follows from it")
    protocols: list[Protocol] = Field(
        ["unseen", "seen-pose"],
        min_length=1,
        description="test lists. unseen: test identities and test poses are in no training triple; "
        "seen-pose: new identities in poses of the training set; one-source: test identities in test poses, all "
        "shown by the first training identity",
    )

    def split_settings(self, part: str) -> dict[str, Any]:
        """What the triples of `part` (`train`, which holds val, or a protocol) follow from."""
        pairs = {"train", "val"} if part == "train" else {"test"}
        chosen = {"identities", "poses", "motions", "seed"} & set(type(self).model_fields)
        return self.model_dump(include=dict.fromkeys(chosen, True) | {"pairs": pairs})

    def pose_parts(self, available: set[int]) -> dict[str, list[int]]:
        """Which poses go to each part; `available` are those that the catalogue has."""
        raise NotImplementedError


class Generated(Paired):
    """A dataset made from a seed: every identity in every pose of one bank, on one closed mesh."""

    identities: Parts = Field(description="bodies")
    poses: Parts = Field(description="poses in the shared bank")
    source: str

    @property
    def module(self) -> str:
        """Where its reader or generator is."""
        return f"repose.synthetic.{self.source.replace('-', '_')}"

    @property
    def reader(self) -> str:
        """Where its meshes are read from the recipe."""
        return f"{self.module}.source"

    def raw_settings(self) -> dict[str, Any]:
        """What the bodies follow from."""
        totals = {"identities": self.identities.total, "poses": self.poses.total}
        return self.model_dump(include={"vertices", "seed"}) | totals

    def pose_parts(self, available: set[int]) -> dict[str, list[int]]:
        return self.poses.numbers()


class OpenHuman(Generated):
    """Human bodies of the open parametric model Anny."""

    source: Literal["open-human"]
    vertices: int = Field(6890, ge=300, le=12_000, description="vertices of the mesh; faces = 2 v - 4")


class OpenAnimal(Generated):
    """Procedural four-legged animals of twelve species."""

    source: Literal["open-animal"]
    vertices: int = Field(3890, ge=600, le=12_000, description="vertices of the mesh; faces = 2 v - 4")


class Licensed(Section):
    """A dataset that its users bring."""

    medium: ClassVar[Literal["meshes", "images"]] = "meshes"
    is_licensed: ClassVar[bool] = True
    vertices: ClassVar[int] = 6890  # at most; jobs ask for memory by it

    source: str
    folder: str | None = Field(None, description="where its files or archives are; null: data/raw/{source}")

    @property
    def module(self) -> str:
        """Where its reader or generator is."""
        return f"repose.raw.{self.source.replace('-', '_')}"

    @property
    def reader(self) -> str:
        """The same."""
        return self.module

    def raw_settings(self) -> dict[str, Any]:
        """Which raw files are wanted, and what is made of them."""
        return self.model_dump(mode="json", exclude={"pairs", "protocols", "seed"})


class Grid(Licensed, Paired):
    """A licensed dataset of identities that are all in the same poses."""

    identities: Choice
    poses: Choice

    def raw_settings(self) -> dict[str, Any]:
        """Which identities and poses are wanted, whatever part they go to."""
        chosen = {"identities": self.identities.all(), "poses": self.poses.all()}
        return super().raw_settings() | chosen

    def pose_parts(self, available: set[int]) -> dict[str, list[int]]:
        return self.poses.numbers()


class Faust(Grid):
    """FAUST registrations: 10 people in 10 poses. Validation poses are new, of people seen in training."""

    source: Literal["faust"]
    identities: Choice = Field(Choice(train="0-7", val="0-7", test="8-9"), description="people")
    poses: Choice = Field(Choice(train="0-4", val="5-6", test="7-9"), description="poses")
    pairs: Pairs = Field(Pairs(train=1000, val=60, test=12), description="triples; few are possible")


class Published(Grid):
    """A grid of which test rows are published."""

    test_list: str | None = Field(
        None,
        description="file of published rows `identity pose truth`, for protocol unseen; null: rows are drawn",
    )

    def split_settings(self, part: str) -> dict[str, Any]:
        """See `Paired`; and which rows are given."""
        given = {"test_list": self.test_list} if part == "unseen" and self.test_list else {}
        return super().split_settings(part) | given


class SmplBodies(Published):
    """30 identities in 800 poses, parted as published, but for validation."""

    identities: Choice = Field(Choice(train="0-15", val="0-15", test="16-29"), description="bodies")
    poses: Choice = Field(Choice(train="200-599", val="0-19", test="600-799"), description="poses")
    pairs: Pairs = Field(Pairs(train=800_000, val=200, test=400), description="triples")


class SmplNpt(SmplBodies):
    """SMPL-NPT bodies as published: 30 identities in 800 poses."""

    source: Literal["smpl-npt"]


class Smpl(SmplBodies):
    """Bodies made from an SMPL model file as those of SMPL-NPT were."""

    source: Literal["smpl"]


class Smal(Published):
    """SMAL animals: 41 toys in 600 poses; the last 20 published training poses are for validation."""

    vertices: ClassVar[int] = 3889

    source: Literal["smal"]
    identities: Choice = Field(
        Choice(
            train="0-15,21,23-24,26-31,34-35,38-39",
            val="0-15,21,23-24,26-31,34-35,38-39",
            test="16-20,22,25,32-33,36-37,40",
        ),
        description="toys",
    )
    poses: Choice = Field(Choice(train="0-379", val="380-399", test="400-599"), description="poses")
    pairs: Pairs = Field(Pairs(train=800_000, val=200, test=400), description="triples")
    up: Literal["y", "z"] = Field("y", description="which axis of the files points up; y keeps coordinates")


class Motions(Section):
    """Which motions go to each part of the split."""

    train: list[Motion] = Field(list(MOTIONS[:10]), min_length=1, description="seen in training")
    val: list[Motion] = Field(list(MOTIONS[10:12]), min_length=1, description="used to choose the checkpoint")
    test: list[Motion] = Field(list(MOTIONS[12:]), min_length=1, description="only used in the tables")


class Dfaust(Licensed, Paired):
    """DFAUST sequences: a pose is of one person only, so that triples have no truth."""

    has_truth: ClassVar[bool] = False

    source: Literal["dfaust"]
    identities: Choice = Field(
        Choice(train="50002,50004,50007,50009,50020,50021", val="50022,50025", test="50026-50027"),
        description="people, by their numbers",
    )
    motions: Motions = Field(Motions(), description="sequences")
    stride: PositiveInt = Field(20, description="every how many frames one is taken; 60 are a second")

    def raw_settings(self) -> dict[str, Any]:
        """Which people, motions and frames are wanted, whatever part they go to."""
        chosen = {"identities": self.identities.all(), "motions": sorted(self.chosen_motions())}
        return super().raw_settings() | chosen

    def chosen_motions(self) -> set[str]:
        """The motions of all parts."""
        return {*self.motions.train, *self.motions.val, *self.motions.test}

    def pose_parts(self, available: set[int]) -> dict[str, list[int]]:
        """Which of the poses go to each part; pose = 10000 · motion + frame."""
        return {
            part: sorted(
                p for p in available if MOTIONS[p // FRAMES_PER_MOTION] in getattr(self.motions, part)
            )
            for part in PARTS
        }


class Single(Licensed):
    """A licensed dataset of one identity, with a mesh of its own: nothing is transferred within it."""

    vertices: ClassVar[int] = 20_000
    has_truth: ClassVar[bool] = False
    protocols: ClassVar[tuple[Protocol, ...]] = ()

    def split_settings(self, part: str) -> dict[str, Any]:
        """No triples can be drawn."""
        return {}


class Mixamo(Single):
    """A Mixamo character in T-pose: a target of transfers, without poses of its own."""

    source: Literal["mixamo"]
    character: str = Field(pattern=r"^[^/]+$", description="the file's name without .obj")


class DeformingThings4D(Single):
    """An animal of DeformingThings4D: its template and frames of its motions."""

    source: Literal["deformingthings4d"]
    animal: str = Field(
        pattern=r"^[^/_]+$", description="the part of the file names before the first _, as bear3EP"
    )
    frames: PositiveInt = Field(300, description="how many frames are drawn besides the template; 300 in NPR")
    stride: PositiveInt = Field(3, description="frames 0, stride, 2 · stride, … are drawn from")
    seed: int = Field(0, ge=0, description="which frames are drawn follows from it")
    up: Literal["y", "z"] = Field("z", description="which axis of the files points up")

    def raw_settings(self) -> dict[str, Any]:
        """Which animal and frames are wanted."""
        return super().raw_settings() | {"seed": self.seed}


Meshes = OpenHuman | OpenAnimal | Faust | Dfaust | SmplNpt | Smpl | Smal | Mixamo | DeformingThings4D
Dataset = Annotated[Meshes, Field(discriminator="source")]
