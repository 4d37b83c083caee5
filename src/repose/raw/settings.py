"""The settings of every dataset in the configuration, and the parameters of its stages.

It imports nothing slow, because Snakemake reads it at every start. No code hash covers this module. Therefore, what a
stage uses of these classes is among its parameters, fully resolved: `split_settings` lists every number in each part,
so that a change of how parts are chosen changes the parameters, and the split is made again.
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
HALVES: tuple[Protocol, ...] = ("bent", "straight")  # test lists that use only a part of the poses
RENDERED: Protocol = "one-source"  # the test list whose transfers are also scored by renders
PARTS = ("train", "val", "test")
_SHA256 = r"^[0-9a-f]{64}$"


def _may_be_partial(schema: dict[str, Any]) -> None:
    """Make all keys optional in the JSON schema: a key that is left out keeps the dataset's default."""
    schema.pop("required")


class Parts(Section):
    """The numbers of identities, or of poses, in each part of the split."""

    model_config = ConfigDict(json_schema_extra=_may_be_partial)

    train: PositiveInt = Field(description="number that is seen in training")
    val: PositiveInt = Field(description="number that is used to choose the checkpoint")
    test: PositiveInt = Field(description="number that is used only in the tables")

    @property
    def counts(self) -> tuple[int, int, int]:
        """The counts of train, val and test."""
        return self.train, self.val, self.test

    @property
    def total(self) -> int:
        """The total of all three parts."""
        return sum(self.counts)

    def numbers(self) -> dict[str, list[int]]:
        """Return the numbers in each part: the first go to train, the next to val, the last to test."""
        cuts = (0, self.train, self.train + self.val, self.total)
        return {part: list(range(cuts[k], cuts[k + 1])) for k, part in enumerate(PARTS)}


class Choice(Section):
    """The identities, or the poses, in each part of the split, by the dataset's own numbers."""

    model_config = ConfigDict(json_schema_extra=_may_be_partial)

    train: Numbers = Field(description="seen in training")
    val: Numbers = Field(description="used to choose the checkpoint")
    test: Numbers = Field(description="only used in the tables")

    def numbers(self) -> dict[str, list[int]]:
        """Return the numbers in each part."""
        return {part: expand(getattr(self, part)) for part in PARTS}

    @property
    def total(self) -> int:
        """The count, numbered from 0, that includes every chosen number."""
        return max(self.all()) + 1

    def all(self) -> list[int]:
        """Return the numbers of all parts, sorted."""
        return sorted({number for numbers in self.numbers().values() for number in numbers})


class Pairs(Section):
    """The number of triples (identity mesh, pose mesh, truth) that are drawn for each part of the split."""

    train: PositiveInt = Field(
        20_000, description="number of distinct training triples; training passes over them in order"
    )
    val: PositiveInt = Field(60, description="number of validation triples, of new identities in new poses")
    test: PositiveInt = Field(100, description="number of test triples of each protocol")


class Dataset(Section):
    """A dataset: its facts, its settings, and how its raw data are read. Every dataset is a subclass.

    The configuration chooses the class by `source`, which is the name of its entry point in the group
    `repose.datasets`.

    Attributes:
        entry: the facts.
        medium: its content: meshes, from which triples are drawn, or images, from which pairs are drawn.
        is_licensed: whether the user supplies its files; otherwise it is made from a seed.
        has_truth: whether equal pose numbers of two identities are the same pose, so that a transfer has a truth.
        halves: for the protocols `bent` and `straight`, the numbers of the poses that each may use, or the generator's
            name of them; empty: the dataset has no such protocols.
        rest_pose: number of the pose in which every identity is at rest; None: there is no such pose.
        source: name of the dataset.
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
        """Let a partial section, such as `pairs: {train: 10}`, keep the dataset's other defaults."""
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
        """The modules whose code the stage `raw` runs for this dataset; the code hash follows their imports."""
        return (type(self).__module__,)

    @property
    def convert_code(self) -> tuple[str, ...]:
        """The modules whose code the stage `convert` runs for this dataset; the code hash follows their imports."""
        return (type(self).__module__,)

    def raw_settings(self) -> dict[str, Any]:
        """Return what the raw data depend on besides code and supplied files: the parameters of the stage `raw`."""
        raise NotImplementedError

    def split_settings(self, part: str) -> dict[str, Any]:
        """Return what a split depends on besides code and catalogue: the parameters of the stage `split`.

        Args:
            part: `train`, which holds the validation too, or a protocol.
        """
        raise NotImplementedError

    def open_source(self, raw: Path) -> Any:
        """Open the raw data for the stage `convert`.

        Args:
            raw: output of the stage `raw`: the recipe of a generated dataset, or the inventory of a licensed one.

        Returns:
            A `repose.raw.source.Source` of meshes, or a `repose.raw.image_source.ImageSource` of images.

        Raises:
            ReposeError: `raw` is missing or damaged.
        """
        raise NotImplementedError


class Paired(Dataset):
    """A dataset from which triples are drawn."""

    identities: Parts | Choice = Field(description="the identities in each part")
    pairs: Pairs = Field(Pairs(), description="numbers of triples")
    seed: int = Field(0, ge=0, description="seed of the draw of triples")
    protocols: list[Protocol] = Field(
        ["unseen", "seen-pose"],
        min_length=1,
        description=(
            "test lists. unseen: test identities and test poses, which are in no training triple; "
            "seen-pose: new identities in poses of the training set; one-source: test identities in "
            "test poses, all shown by the first training identity; bent, straight: like unseen, with "
            "the poses that bend the knees and with the others, in datasets that distinguish them"
        ),
    )

    def split_settings(self, part: str) -> dict[str, Any]:
        """Return the numbers of the identities in every part, the counts of triples, and the seed."""
        drawn = {"train", "val"} if part == "train" else {"test"}
        half = {"half": self.halves[part]} if part in self.halves else {}
        return half | {
            "identities": self.identities.numbers(),
            "pairs": self.pairs.model_dump(include=drawn),
            "seed": self.seed,
            "has_truth": self.has_truth,
        }

    def half(self, protocol: str, raw: Path) -> set[int]:
        """Return the poses of `halves` that a protocol may use.

        Args:
            protocol: a key of `halves`.
            raw: output of the stage `raw`.
        """
        return set(expand(self.halves[protocol]))

    def pose_parts(self, available: Set[int]) -> dict[str, list[int]]:
        """Return the poses in each part.

        Args:
            available: the poses that the catalogue has.
        """
        raise NotImplementedError


class Grid(Paired):
    """A dataset whose identities all have the same poses."""

    poses: Parts | Choice = Field(description="the poses in each part")

    def split_settings(self, part: str) -> dict[str, Any]:
        """Return the settings of `Paired`, and the numbers of the poses in every part."""
        return super().split_settings(part) | {"poses": self.poses.numbers()}

    def pose_parts(self, available: Set[int]) -> dict[str, list[int]]:
        """Return the poses that the configuration names, available or not."""
        return self.poses.numbers()


class Generated(Dataset):
    """A dataset that is made from a seed, so that nobody needs to supply anything.

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
        """The reader's module alone, so that another generator of the same recipe requires no new conversion."""
        return (self.reader,)

    def open_source(self, raw: Path) -> Any:
        """Open the meshes or images of the recipe `raw`; see `Dataset`."""
        return import_module(self.reader).open_source(self, raw)

    def generate(self, bodies: Path | None = None) -> Any:
        """Draw the recipe of the dataset, which is the same for the same settings.

        Args:
            bodies: the recipe of the people that rendered images show; None for other datasets.

        Returns:
            A `repose.synthetic.recipe.RecipeFile`.

        Raises:
            ReposeError: the settings cannot be met.
        """
        raise NotImplementedError

    def describe(self, recipe: Any) -> dict[str, int]:
        """Return the counts in a recipe, for its manifest."""
        raise NotImplementedError


class GeneratedBodies(Grid, Generated):
    """Bodies made from a seed: every identity in every pose of one shared set, on one closed mesh.

    Its `generator` has `Settings(vertices, identities, poses, seed)` and `generate(settings, progress)`.

    Attributes:
        motions: module with a `Recipe`, the `KINDS` of motions, and `motion(recipe, kind, identity, frames, seed,
            among)`, for bodies whose pose 0 is at rest; None: there are no motions.
    """

    motions: ClassVar[str | None] = None
    rest_pose: ClassVar[int | None] = 0

    identities: Parts = Field(description="the bodies in each part")
    poses: Parts = Field(description="the poses in each part; all bodies share them")
    vertices: int

    @property
    def sizes(self) -> dict[str, int]:
        """The number of vertices of a mesh, and the numbers of identities and poses."""
        counts = {"identities": self.identities.total, "poses": self.poses.total}
        return {"vertices": self.vertices} | counts

    @property
    def own_settings(self) -> dict[str, int]:
        """The values of this generator's `Settings` besides sizes and seed, if they are not the defaults."""
        return {}

    def raw_settings(self) -> dict[str, Any]:
        """Return sizes and seed."""
        return {"source": self.source} | self.sizes | {"seed": self.seed} | self.own_settings

    def generate(self, bodies: Path | None = None) -> Any:
        """Draw the recipe, see `Generated`."""
        from repose.progress import Meter

        generator = import_module(self.generator)
        settings = generator.Settings(*self.sizes.values(), self.seed, **self.own_settings)
        with Meter(f"raw {self.source}: poses", self.poses.total) as meter:
            return generator.generate(settings, lambda done, total: meter.to(done))

    def describe(self, recipe: Any) -> dict[str, int]:
        """Return the counts in a recipe, see `Generated`."""
        return self.sizes | {"poses_rejected": recipe.rejected}


class ImagePairs(Section):
    """The number of pairs (source image, target image) of one person in the same clothes in each part."""

    train: PositiveInt | None = Field(None, description="number of training pairs; null: all ordered pairs")
    val: PositiveInt | None = Field(
        60, description=("number of validation pairs, of people who are not in training")
    )
    test: PositiveInt | None = Field(
        120, description=("number of test pairs, of people who are in no other part")
    )


class ImageSet(Dataset):
    """A dataset of person images; its catalogue states the part of each image."""

    medium: ClassVar[Literal["meshes", "images"]] = "images"
    protocols: ClassVar[tuple[str, ...]] = ("unseen",)

    pairs: ImagePairs = Field(ImagePairs(), description="numbers of pairs")
    seed: int = Field(0, ge=0, description="seed of the draw of pairs")

    def split_settings(self, part: str) -> dict[str, Any]:
        """Return the numbers of pairs, and the seed."""
        drawn = {"train", "val"} if part == "train" else {"test"}
        return {"pairs": self.pairs.model_dump(include=drawn), "seed": self.seed}


class Weights(Section):
    """Published weights that the user supplies."""

    weights: str = Field(
        description="file of the network's state dict (.pth), its names those of torchvision"
    )
    sha256: str = Field(pattern=_SHA256, description="sha256 of that file; another file is refused")


class AttributeWeights(Weights):
    """Weights of a network that predicts attributes, and the true attributes."""

    labels: str = Field(description="attr_label.pkl: 0 or 1 for each attribute of each image")
    labels_sha256: str = Field(pattern=_SHA256, description="sha256 of that file; another file is refused")


class Official(Section):
    """The published scorers of generated images; the columns of a scorer that is left out are missing."""

    fashion_is: Weights | None = Field(
        None,
        description=("Inception-v3 that classifies 23 kinds of clothes, for FashionIS (column fashion_is)"),
    )
    attributes: AttributeWeights | None = Field(
        None,
        description=(
            "ResNet-50 that predicts attributes, for AttrRec (columns attr_recall_5 and attr_recall_20)"
        ),
    )
