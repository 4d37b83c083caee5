"""What the configuration says of every dataset, and what the stages of every dataset follow from.

Imports nothing slow: Snakemake reads it at every start. No code hash covers this module. What a stage uses of these
classes is therefore among its parameters, resolved: `split_settings` lists every number that goes to a part, so that a
change of how parts are chosen changes the parameters, and the split is made again.
"""

from collections.abc import Mapping, Set
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, PositiveInt, model_validator

from repose.numbers import Numbers, expand
from repose.raw.entry import Entry
from repose.section import Section

Protocol = Literal["unseen", "seen-pose", "one-source", "bent", "straight"]
HALVES: tuple[Protocol, ...] = ("bent", "straight")  # of a part of the poses alone
RENDERED: Protocol = "one-source"  # whose transfers are scored by pictures, too
PARTS = ("train", "val", "test")
_SHA256 = r"^[0-9a-f]{64}$"


def _may_be_partial(schema: dict[str, Any]) -> None:
    """In the JSON schema no key is required: one that is left out keeps the default of the dataset."""
    schema.pop("required")


class Parts(Section):
    """How many identities, or poses, go to each part of the split."""

    model_config = ConfigDict(json_schema_extra=_may_be_partial)

    train: PositiveInt = Field(description="seen in training")
    val: PositiveInt = Field(description="used to choose the checkpoint")
    test: PositiveInt = Field(description="only used in the tables")

    @property
    def counts(self) -> tuple[int, int, int]:
        """Of train, val and test."""
        return self.train, self.val, self.test

    @property
    def total(self) -> int:
        """All three parts together."""
        return sum(self.counts)

    def numbers(self) -> dict[str, list[int]]:
        """The numbers of each part: the first to train, the next to val, the last to test."""
        cuts = (0, self.train, self.train + self.val, self.total)
        return {part: list(range(cuts[k], cuts[k + 1])) for k, part in enumerate(PARTS)}


class Choice(Section):
    """Which identities, or poses, go to each part of the split, by the dataset's own numbers."""

    model_config = ConfigDict(json_schema_extra=_may_be_partial)

    train: Numbers = Field(description="seen in training")
    val: Numbers = Field(description="used to choose the checkpoint")
    test: Numbers = Field(description="only used in the tables")

    def numbers(self) -> dict[str, list[int]]:
        """The numbers of each part."""
        return {part: expand(getattr(self, part)) for part in PARTS}

    @property
    def total(self) -> int:
        """How many there must be, numbered from 0, so that every one that is chosen exists."""
        return max(self.all()) + 1

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


class Dataset(Section):
    """One dataset: its facts, its settings, and how its raw data are read. Every dataset is a class of this one.

    The configuration chooses the class by `source`, which is the name of its entry point in the group
    `repose.datasets`.

    Attributes:
        entry: the facts.
        medium: what it holds: meshes, of which triples are drawn, or images, of which pairs are drawn.
        is_licensed: whether its user supplies the files, rather than a seed.
        has_truth: whether equal pose numbers of two identities are the same pose, so that a transfer has a truth.
        halves: of the protocols `bent` and `straight` the numbers of the poses that each may take, or what its
            generator calls them; empty: the dataset has no such protocols.
        rest_pose: number of the pose in which every identity is at rest; None: there is none.
        source: its name.
    """

    entry: ClassVar[Entry]
    medium: ClassVar[Literal["meshes", "images"]] = "meshes"
    is_licensed: ClassVar[bool] = False
    has_truth: ClassVar[bool] = True
    halves: ClassVar[Mapping[str, str]] = {}
    rest_pose: ClassVar[int | None] = None

    source: str

    @model_validator(mode="before")
    @classmethod
    def _partial_sections(cls, values: Any) -> Any:
        """A section that is given in part, such as `pairs: {train: 10}`, keeps the dataset's own other defaults."""
        if not isinstance(values, Mapping):
            return values
        own = {name: field.default for name, field in cls.model_fields.items()}
        return {
            key: own[key].model_dump() | dict(value)
            if isinstance(value, Mapping) and isinstance(own.get(key), Section)
            else value
            for key, value in values.items()
        }

    @property
    def raw_code(self) -> tuple[str, ...]:
        """Modules whose code the stage `raw` runs for this dataset; the code hash follows their imports."""
        return (type(self).__module__,)

    @property
    def convert_code(self) -> tuple[str, ...]:
        """Modules whose code the stage `convert` runs for this dataset; the code hash follows their imports."""
        return (type(self).__module__,)

    def raw_settings(self) -> dict[str, Any]:
        """What the raw data follow from, besides code and supplied files: the parameters of the stage `raw`."""
        raise NotImplementedError

    def split_settings(self, part: str) -> dict[str, Any]:
        """What a split follows from, besides code and catalogue: the parameters of the stage `split`.

        Args:
            part: `train`, which holds the validation too, or a protocol.
        """
        raise NotImplementedError

    def open_source(self, raw: Path) -> Any:
        """The raw data as the stage `convert` reads them.

        Args:
            raw: what the stage `raw` made: the recipe of a generated dataset, or the inventory of a licensed one.

        Returns:
            A `repose.raw.source.Source` of meshes, or a `repose.raw.image_source.ImageSource` of images.

        Raises:
            ReposeError: `raw` is missing or damaged.
        """
        raise NotImplementedError


class Paired(Dataset):
    """A dataset from which triples are drawn."""

    identities: Parts | Choice = Field(description="identities")
    pairs: Pairs = Field(Pairs(), description="triples")
    seed: int = Field(0, ge=0, description="what is drawn follows from it")
    protocols: list[Protocol] = Field(
        ["unseen", "seen-pose"],
        min_length=1,
        description="test lists. unseen: test identities and test poses are in no training triple; "
        "seen-pose: new identities in poses of the training set; one-source: test identities in test poses, all "
        "shown by the first training identity; bent, straight: as unseen, of the poses that bend the knees and of "
        "those that do not, in datasets that tell them apart",
    )

    def split_settings(self, part: str) -> dict[str, Any]:
        """The identities of every part, number by number, how many triples are drawn, and from which seed."""
        drawn = {"train", "val"} if part == "train" else {"test"}
        half = {"half": self.halves[part]} if part in self.halves else {}
        return half | {
            "identities": self.identities.numbers(),
            "pairs": self.pairs.model_dump(include=drawn),
            "seed": self.seed,
            "has_truth": self.has_truth,
        }

    def half(self, protocol: str, raw: Path) -> set[int]:
        """The poses of `halves` that a protocol may take.

        Args:
            protocol: a key of `halves`.
            raw: what the stage `raw` made.
        """
        return set(expand(self.halves[protocol]))

    def pose_parts(self, available: Set[int]) -> dict[str, list[int]]:
        """Which poses go to each part.

        Args:
            available: the poses that the catalogue has.
        """
        raise NotImplementedError


class Grid(Paired):
    """A dataset of identities that are all in the same poses."""

    poses: Parts | Choice = Field(description="poses")

    def split_settings(self, part: str) -> dict[str, Any]:
        """See `Paired`; and the poses of every part, number by number."""
        return super().split_settings(part) | {"poses": self.poses.numbers()}

    def pose_parts(self, available: Set[int]) -> dict[str, list[int]]:
        """The poses that the configuration names, available or not."""
        return self.poses.numbers()


class Generated(Dataset):
    """A dataset that is made from a seed, so that nobody has to supply anything.

    Attributes:
        generator: module whose code draws the recipe.
        reader: module whose `open_source(dataset, raw)` reads the recipe.
    """

    generator: ClassVar[str]
    reader: ClassVar[str]

    @property
    def raw_code(self) -> tuple[str, ...]:
        """The dataset's own module, and that of the generator."""
        return (type(self).__module__, self.generator)

    @property
    def convert_code(self) -> tuple[str, ...]:
        """The reader's module alone: another generator of the same recipe converts nothing again."""
        return (self.reader,)

    def open_source(self, raw: Path) -> Any:
        """The meshes or images of the recipe `raw`; see `Dataset`."""
        return import_module(self.reader).open_source(self, raw)

    def generate(self, bodies: Path | None = None) -> Any:
        """Draw the recipe of the dataset, the same for the same settings.

        Args:
            bodies: the recipe of the people that rendered images show; None for other datasets.

        Returns:
            A `repose.synthetic.recipe.RecipeFile`.

        Raises:
            ReposeError: what is asked for cannot be drawn.
        """
        raise NotImplementedError

    def describe(self, recipe: Any) -> dict[str, int]:
        """How much of everything a recipe has, for its manifest."""
        raise NotImplementedError


class GeneratedBodies(Grid, Generated):
    """Bodies made from a seed: every identity in every pose of one bank, on one closed mesh.

    Its `generator` has `Settings(vertices, identities, poses, seed)` and `generate(settings, progress)`.

    Attributes:
        motions: module with a `Recipe`, the `KINDS` of motions, and `motion(recipe, kind, identity, frames, seed,
            among)`, for bodies that are at rest in pose 0; None: they have no motions.
    """

    motions: ClassVar[str | None] = None
    rest_pose: ClassVar[int | None] = 0

    identities: Parts = Field(description="bodies")
    poses: Parts = Field(description="poses in the shared bank")
    vertices: int

    @property
    def sizes(self) -> dict[str, int]:
        """How many vertices a mesh has, and how many identities and poses there are."""
        counts = {"identities": self.identities.total, "poses": self.poses.total}
        return {"vertices": self.vertices} | counts

    @property
    def own_settings(self) -> dict[str, int]:
        """What this generator's `Settings` have beside sizes and seed, where it is not the default."""
        return {}

    def raw_settings(self) -> dict[str, Any]:
        """Sizes and seed."""
        return {"source": self.source} | self.sizes | {"seed": self.seed} | self.own_settings

    def generate(self, bodies: Path | None = None) -> Any:
        """See `Generated`."""
        from repose.progress import Meter

        generator = import_module(self.generator)
        settings = generator.Settings(*self.sizes.values(), self.seed, **self.own_settings)
        with Meter(f"raw {self.source}: poses", self.poses.total) as meter:
            return generator.generate(settings, lambda done, total: meter.to(done))

    def describe(self, recipe: Any) -> dict[str, int]:
        """See `Generated`."""
        return self.sizes | {"poses_rejected": recipe.rejected}


class ImagePairs(Section):
    """How many pairs (source image, target image) of one person in the same clothes each part has."""

    train: PositiveInt | None = Field(None, description="training pairs; null: all ordered pairs")
    val: PositiveInt | None = Field(60, description="validation pairs, of people that training does not have")
    test: PositiveInt | None = Field(120, description="test pairs, of people seen nowhere else")


class ImageSet(Dataset):
    """A dataset of person images. Which image goes to which part stands in its catalogue."""

    medium: ClassVar[Literal["meshes", "images"]] = "images"
    protocols: ClassVar[tuple[str, ...]] = ("unseen",)

    pairs: ImagePairs = Field(ImagePairs(), description="pairs")
    seed: int = Field(0, ge=0, description="what is drawn follows from it")

    def split_settings(self, part: str) -> dict[str, Any]:
        """How many pairs are drawn, and from which seed."""
        drawn = {"train", "val"} if part == "train" else {"test"}
        return {"pairs": self.pairs.model_dump(include=drawn), "seed": self.seed}


class Weights(Section):
    """Published weights that the user supplies."""

    weights: str = Field(
        description="file of the network's state dict (.pth), its names those of torchvision"
    )
    sha256: str = Field(pattern=_SHA256, description="of that file; another file is refused")


class AttributeWeights(Weights):
    """Weights of a network that tells attributes, and the true ones."""

    labels: str = Field(description="attr_label.pkl: 0 or 1 for each attribute of each image")
    labels_sha256: str = Field(pattern=_SHA256, description="of that file; another file is refused")


class Official(Section):
    """The published scorers of what is drawn; what is left out has no column."""

    fashion_is: Weights | None = Field(
        None, description="Inception-v3 that tells 23 kinds of clothes, for FashionIS (column fashion_is)"
    )
    attributes: AttributeWeights | None = Field(
        None,
        description="ResNet-50 that tells attributes, for AttrRec (columns attr_recall_5 and attr_recall_20)",
    )
