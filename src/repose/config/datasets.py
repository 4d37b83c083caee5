"""The datasets of `config.yaml`."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from repose.config.section import Section

Protocol = Literal["unseen", "seen-pose"]


class Parts(Section):
    """How many identities, or poses, go to each part of the split."""

    train: PositiveInt = Field(description="seen in training")
    val: PositiveInt = Field(description="used to choose the checkpoint")
    test: PositiveInt = Field(description="only used in the tables")

    @property
    def total(self) -> int:
        """All three parts together."""
        return self.train + self.val + self.test


class Pairs(Section):
    """How many triples (identity mesh, pose mesh, truth) are drawn for each part of the split."""

    train: PositiveInt = Field(
        20_000, description="distinct training triples; training passes over them in order"
    )
    val: PositiveInt = Field(60, description="validation triples: new identities in new poses")
    test: PositiveInt = Field(100, description="test triples of each protocol")


class Generated(Section):
    """A dataset made from a seed: every identity in every pose of one bank, on one closed mesh."""

    identities: Parts = Field(description="bodies")
    poses: Parts = Field(description="poses in the shared bank")
    pairs: Pairs = Field(Pairs(), description="triples")
    seed: int = Field(0, ge=0, description="bodies, poses and triples follow from it")
    protocols: list[Protocol] = Field(
        ["unseen", "seen-pose"],
        min_length=1,
        description="test lists. unseen: test identities and test poses are in no training triple; "
        "seen-pose: new identities in poses of the training set",
    )

    def split_settings(self, part: str) -> dict[str, Any]:
        """What the triples of `part` (`train`, which holds val, or a protocol) follow from."""
        pairs = {"train", "val"} if part == "train" else {"test"}
        return self.model_dump(include={"identities": True, "poses": True, "pairs": pairs, "seed": True})


class OpenHuman(Generated):
    """Human bodies of the open parametric model Anny."""

    source: Literal["open-human"]
    vertices: int = Field(6890, ge=300, le=12_000, description="vertices of the mesh; faces = 2 v - 4")


class OpenAnimal(Generated):
    """Procedural four-legged animals of twelve species."""

    source: Literal["open-animal"]
    vertices: int = Field(3890, ge=600, le=12_000, description="vertices of the mesh; faces = 2 v - 4")


Dataset = Annotated[OpenHuman | OpenAnimal, Field(discriminator="source")]
