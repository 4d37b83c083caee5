"""The datasets of person images in `config.yaml`."""

from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt, field_validator

from repose.config.datasets import Licensed, Parts
from repose.section import Name, Section

_SHA256 = r"^[0-9a-f]{64}$"


class ImagePairs(Section):
    """How many pairs (source image, target image) of one person in the same clothes each part has."""

    train: PositiveInt | None = Field(None, description="training pairs; null: all ordered pairs")
    val: PositiveInt | None = Field(60, description="validation pairs, of people that training does not have")
    test: PositiveInt | None = Field(120, description="test pairs, of people seen nowhere else")


class ImageSet(Section):
    """What every dataset of images has."""

    medium: ClassVar[Literal["meshes", "images"]] = "images"
    is_licensed: ClassVar[bool] = False
    has_truth: ClassVar[bool] = True
    protocols: ClassVar[tuple[str, ...]] = ("unseen",)

    pairs: ImagePairs = Field(ImagePairs(), description="pairs")
    seed: int = Field(0, ge=0, description="what is drawn follows from it")

    def split_settings(self, part: str) -> dict[str, Any]:
        """What the pairs of `part` (`train`, which holds val, or `unseen`) follow from."""
        return self.model_dump(mode="json", include={"pairs", "seed", "identities"})


class Rendered(ImageSet):
    """People rendered in clothes, with exact flow between any two images of an outfit."""

    source: str
    bodies: Name = Field("open-human", description="the open-human dataset whose people and poses are shown")
    vertices: int = Field(
        6890, ge=300, le=12_000, description="vertices of the bodies, whatever `bodies` has"
    )
    height: PositiveInt = Field(description="pixels")
    width: PositiveInt = Field(description="pixels")
    samples: PositiveInt = Field(3, description="rays per side of a pixel; odd")
    identities: Parts = Field(
        Parts(train=28, val=4, test=6), description="people of `bodies`, the first to train, and so on"
    )
    poses: Parts = Field(Parts(train=150, val=10, test=20), description="poses of `bodies`, in the same way")
    outfits: PositiveInt = Field(2, description="of each person")
    images: PositiveInt = Field(6, description="of each outfit")
    scorer: Name | None = Field(
        None,
        description="method of architecture image-scorer, trained on this dataset with seed 0, that judges what "
        "is drawn; null: no RenderIS and no RenderAttrRec",
    )

    @field_validator("samples")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number has a ray at the centre of the pixel")
        return value

    @property
    def module(self) -> str:
        """Where its reader or generator is."""
        return f"repose.synthetic.{self.source.replace('-', '_')}"

    @property
    def reader(self) -> str:
        """The same."""
        return self.module

    def raw_settings(self) -> dict[str, Any]:
        """What the images follow from, besides the bodies."""
        return self.model_dump(mode="json", exclude={"pairs", "scorer"})


class OpenFashion(Rendered):
    """People in a studio, as DeepFashion's In-shop photos show them."""

    source: Literal["open-fashion"]
    height: PositiveInt = Field(256, description="pixels")
    width: PositiveInt = Field(256, description="pixels")
    cameras: PositiveInt = Field(1, description="numbered in the catalogue; a studio has one")


class OpenMarket(Rendered):
    """Passers-by seen by several cameras, as in Market-1501."""

    source: Literal["open-market"]
    height: PositiveInt = Field(128, description="pixels")
    width: PositiveInt = Field(64, description="pixels")
    cameras: PositiveInt = Field(6, description="each has a view of its own behind the people")


class Photos(ImageSet, Licensed):
    """Photos that users bring, with joints and, for flow, correspondences."""

    medium: ClassVar[Literal["meshes", "images"]] = "images"
    is_licensed: ClassVar[bool] = True


class Weights(Section):
    """Published weights that a user brings."""

    weights: str = Field(
        description="file of the network's state dict (.pth), its names those of torchvision"
    )
    sha256: str = Field(pattern=_SHA256, description="of that file; another file is refused")


class AttributeWeights(Weights):
    """Weights of a network that tells attributes, and the true ones."""

    labels: str = Field(description="attr_label.pkl: 0 or 1 for each attribute of each image")
    labels_sha256: str = Field(pattern=_SHA256, description="of that file; another file is refused")


class Official(Section):
    """The published judges of what is drawn; what is left out has no column."""

    fashion_is: Weights | None = Field(
        None, description="Inception-v3 that tells 23 kinds of clothes, for FashionIS (column fashion_is)"
    )
    attributes: AttributeWeights | None = Field(
        None,
        description="ResNet-50 that tells attributes, for AttrRec (columns attr_recall_5 and attr_recall_20)",
    )


class DeepFashion(Photos):
    """DeepFashion In-shop photos, as released or as the archive of Intrinsic Flow has them."""

    source: Literal["deepfashion"]
    official: Official | None = Field(
        None, description="the published judges, by path and hash; null: no FashionIS and no AttrRec"
    )

    def raw_settings(self) -> dict[str, Any]:
        """What the images follow from; who judges others is not a part of it."""
        return {k: v for k, v in super().raw_settings().items() if k != "official"}


class Market1501(Photos):
    """Market-1501 photos, as released or as the archive of Intrinsic Flow has them."""

    source: Literal["market-1501"]


Images = OpenFashion | OpenMarket | DeepFashion | Market1501
