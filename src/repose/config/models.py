"""Every key of `config.yaml`: type, range, default and meaning. The schema and docs/config.md come from here.

This module is imported whenever Snakemake reads the workflow, so it imports nothing heavy.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
Protocol = Literal["unseen", "seen-pose"]


class Section(BaseModel):
    """A part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class Training(Section):
    """Optimiser, schedule and length of one training."""

    steps: PositiveInt = Field(description="optimiser steps")
    batch: PositiveInt = Field(8, description="triples per step")
    learning_rate: PositiveFloat = Field(1e-4, description="peak learning rate of Adam")
    betas: tuple[float, float] = Field((0.9, 0.999), description="Adam's decay rates")
    eps: PositiveFloat = Field(1e-8, description="Adam's epsilon")
    schedule: Literal["constant", "half-linear", "cosine"] = Field(
        "constant",
        description="constant; half-linear: constant for half the steps, then linear to 0 (3D-CoreNet); "
        "cosine: to 0 over all steps",
    )
    warmup: int = Field(0, ge=0, description="steps of linear warm-up")
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
    validate_every: PositiveInt = Field(100, description="steps between validations, checkpoints included")


class Learned(Section):
    """What every learned method has."""

    training: Training = Field(description="optimiser, schedule and length")


class Npt(Learned):
    """Neural Pose Transfer (Wang et al., CVPR 2020)."""

    architecture: Literal["npt"]
    width: PositiveInt = Field(1024, description="channels of the pose feature; 1024 as published")
    pooling: Literal["max", "none"] = Field(
        "max",
        description="max: one pose feature for the mesh, any vertex counts; none: the original, equal counts",
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


class Copy(Section):
    """A floor without parameters: the identity mesh, or the posed mesh, unchanged."""

    architecture: Literal["copy"]
    mesh: Literal["identity", "pose"] = Field(
        description="which of the two to copy; pose uses the true correspondence, which no learned method is given"
    )


Method = Annotated[Npt | CoreNet | Copy, Field(discriminator="architecture")]


class Table(Section):
    """The rows of a table: every dataset × method × protocol."""

    datasets: list[Name] = Field(min_length=1, description="names under `datasets`")
    methods: list[Name] = Field(min_length=1, description="names under `methods`")
    protocols: list[Protocol] = Field(
        ["unseen", "seen-pose"],
        min_length=1,
        description="unseen: test identities and test poses are in no training triple; "
        "seen-pose: new identities in poses of the training set",
    )
    seeds: list[Annotated[int, Field(ge=0)]] = Field([0], min_length=1, description="one training per seed")


class Compute(Section):
    """Where trainings run."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes a GPU when there is one")
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="arithmetic of the networks while training"
    )
    threads: PositiveInt = Field(1, description="CPU threads of one training; a part of the result on a CPU")


class Convert(Section):
    """Parallel work on mesh files, in the stages convert and store. No result depends on it."""

    workers: PositiveInt = Field(2, description="meshes read and written at a time, by one job")
    scheduler: str = Field(
        "threads",
        pattern=r"^(threads|processes|[a-z]+://.+)$",
        description="threads, processes (a local Dask cluster), or the address tcp://HOST:PORT of a running one",
    )


class Gih(Section):
    """Geodesics in heat: what `results/gih/{dataset}.zarr` holds, and how it is computed."""

    parts: PositiveInt = Field(2, description="jobs that share the meshes of a dataset")
    convention: Literal["metres", "released"] = Field(
        "metres", description="metres; or released: t = 0.1 m² and twice the distance, as the published code"
    )
    t: PositiveFloat | None = Field(
        None, description="time of the heat flow, m²; null: the squared mean edge length, or 0.1 if released"
    )
    backend: Literal["auto", "cpu", "cuda", "potpourri3d"] = Field(
        "auto", description="auto takes a GPU when there is one; potpourri3d is the slow reference"
    )
    workers: PositiveInt = Field(1, description="meshes that one job computes at a time")
    scheduler: str = Field(
        "threads",
        pattern=r"^(threads|processes|[a-z]+://.+)$",
        description="threads, processes (a local Dask cluster), or the address tcp://HOST:PORT of a running one",
    )


class Config(Section):
    """The whole of `config.yaml`."""

    datasets: dict[Name, Dataset] = Field(description="datasets by name")
    methods: dict[Name, Method] = Field(description="methods by name")
    table1: Table = Field(description="what results/table1.csv compares")
    compute: Compute = Field(Compute(), description="where trainings run")
    convert: Convert = Field(Convert(), description="parallel work on mesh files")
    gih: Gih = Field(Gih(), description="geodesics in heat")
