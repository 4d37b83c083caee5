"""The models of `config.yaml`: every key with its type, range, default and meaning.

The schema and docs/config.md are generated from this module.
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from repose.medium import Medium
from repose.methods.registry import installed as installed_methods
from repose.methods.settings import MethodSettings
from repose.raw.registry import installed as installed_datasets
from repose.raw.settings import RENDERED, Protocol
from repose.section import ACROSS, Name, Section

if TYPE_CHECKING:
    from repose.raw.dfaust import Dfaust
    from repose.raw.licensed import LicensedGrid, Single
    from repose.raw.photo_set import Photos
    from repose.raw.settings import GeneratedBodies
    from repose.synthetic.rendered.settings import Rendered

    Dataset = GeneratedBodies | LicensedGrid | Dfaust | Single | Rendered | Photos
    Method = MethodSettings
else:
    Dataset = Annotated[reduce(or_, installed_datasets().values()), Field(discriminator="source")]
    Method = Annotated[reduce(or_, installed_methods().values()), Field(discriminator="architecture")]

Seed = Annotated[int, Field(ge=0)]
Scheduler = Annotated[str, Field(pattern=r"^(threads|processes|slurm|[a-z]+://.+)$")]


class Table(Section):
    """The rows of a table: every dataset × method × protocol of the dataset."""

    datasets: list[Name] = Field(min_length=1, description="names under `datasets`")
    trained_on: Name | None = Field(
        None,
        description=(
            "dataset whose trainings give all methods their weights, for tables across datasets; null: "
            "each dataset has its own trainings"
        ),
    )
    methods: list[Name] = Field(min_length=1, description="names under `methods`")
    seeds: list[Seed] = Field([0], min_length=1, description="seeds; each method is trained once per seed")
    more_seeds: dict[Name, list[Seed]] = Field(
        {}, description="further seeds for single methods, so that their numbers get an interval"
    )
    protocols: list[Protocol] | None = Field(
        None, min_length=1, description="test lists that have rows in the table; null: those of each dataset"
    )
    scorer: Name | None = Field(
        None,
        description=(
            "method of architecture render-scorer, trained with seed 0, that scores renders of "
            "transfers from one source, and of generated poses; null: no RenderFID, RenderKID and "
            "RenderAcc"
        ),
    )

    def seeds_of(self, method: str, learned: bool) -> list[int]:
        """Return the seeds of a method; a baseline is the same for all seeds."""
        if not learned:
            return self.seeds[:1]
        return list(dict.fromkeys([*self.seeds, *self.more_seeds.get(method, [])]))


class Compute(Section):
    """The devices and the precision of trainings."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU if there is one")
    precision: Literal["fp32", "tf32", "bf16"] = Field(
        "fp32",
        description=(
            "precision of the networks' matrix products. fp32: float32 numbers; tf32: shortened numbers "
            "(TF32 on a GPU, bfloat16 on a CPU that supports it), summed in float32; bf16: mixed "
            "precision in training, which makes meshes less accurate"
        ),
    )
    threads: PositiveInt = Field(
        1, description=("CPU threads of one training; on a CPU their number affects the result")
    )
    devices: PositiveInt = Field(
        1,
        description=(
            "number of GPUs of one machine (or processes, on a CPU) that share each batch of a training "
            "with truth (NPT, 3D-CoreNet); it must divide the batch; other trainings use one"
        ),
    )
    compile: bool = Field(
        False,
        description=(
            "true: trainings of NPT, 3D-CoreNet and NPR's diffusion compile their networks "
            "(torch.compile), which takes a minute or more at the start; other trainings are not "
            "compiled"
        ),
    )

    def devices_of(self, method: MethodSettings) -> int:
        """Return the number of devices of a training of `method`."""
        return self.devices if method.shares_batches else 1


class Convert(Section):
    """Parallel work on mesh files, in the stages convert and store. It does not affect results."""

    workers: PositiveInt = Field(2, description="meshes that one job reads and writes at a time")
    scheduler: Scheduler = Field(
        "threads",
        description="threads, processes (of this machine; no port is opened), slurm (a Slurm job per worker), "
        "or the address tcp://HOST:PORT of a running Dask scheduler",
    )


class Gih(Section):
    """Geodesics in heat: the content of `results/gih/{dataset}.zarr`, and how it is computed."""

    parts: PositiveInt = Field(2, description="jobs that share the meshes of a dataset")
    convention: Literal["metres", "released"] = Field(
        "metres",
        description=(
            "metres: distances in metres; released: t = 0.1 m² and twice the distance, as in the "
            "published code"
        ),
    )
    t: PositiveFloat | None = Field(
        None, description="time of the heat flow, m²; null: the squared mean edge length, or 0.1 if released"
    )
    backend: Literal["auto", "cpu", "cuda", "potpourri3d"] = Field(
        "auto",
        description=(
            "auto: a GPU if there is one that is estimated to be twice as fast as the workers; "
            "potpourri3d: the slow reference"
        ),
    )
    workers: PositiveInt = Field(1, description="meshes that one job computes at a time")
    scheduler: Scheduler = Field(
        "threads",
        description="threads, processes (of this machine; no port is opened), slurm (a Slurm job per worker, "
        "as many as needed), or the address tcp://HOST:PORT of a running Dask scheduler",
    )


class Site(Section):
    """The pages of `results/site/`."""

    pairs: PositiveInt | None = Field(
        6,
        description=(
            "number of test pairs of each dataset and protocol, evenly spread, whose bodies are shown "
            "for every method; each method also shows its best, median and worst; null: all pairs"
        ),
    )


class Motions(Section):
    """The motions of `results/motions/{table}.csv`."""

    frames: int = Field(30, ge=3, description="frames of each motion, at 30 per second")
    pairs: PositiveInt = Field(
        2,
        description=(
            "number of test bodies that perform every motion; each one's motion is transferred to the "
            "next body"
        ),
    )


class Config(Section):
    """The whole of `config.yaml`."""

    datasets: dict[Name, Dataset] = Field(description="datasets by name")
    methods: dict[Name, Method] = Field(description="methods by name")
    tables: dict[Name, Table] = Field(description="tables results/{name}.csv by name")
    compute: Compute = Field(Compute(), description="devices and precision of trainings")
    convert: Convert = Field(Convert(), description="parallel work on mesh files")
    gih: Gih = Field(Gih(), description="geodesics in heat")
    motions: Motions = Field(Motions(), description="motions that methods predict frame by frame")
    site: Site = Field(Site(), description="pages to look at")

    def medium_of(self, table: str) -> Medium:
        """Return the medium that a table compares. Pose generators may be in a table with methods of meshes."""
        media = [self.methods[name].medium for name in self.tables[table].methods]
        return "poses" if "poses" in media else media[0]

    def moving(self, table: str) -> list[str]:
        """Return the datasets of a table of meshes whose bodies have motions."""
        datasets = self.tables[table].datasets if self.medium_of(table) == "meshes" else []
        return [name for name in datasets if getattr(self.datasets[name], "motions", None)]

    def protocols_of(self, dataset: str, table: str) -> list[str]:
        """Return the test lists of transfers that have rows in a table."""
        return list(self.tables[table].protocols or self.datasets[dataset].protocols)

    def settings_of(self, method: str) -> MethodSettings:
        """Return the settings of a row's method; those of `npt@open-human` are npt's."""
        return self.methods[method.partition(ACROSS)[0]]

    def methods_of(self, table: str, dataset: str) -> list[str]:
        """Return a table's methods on one of its datasets, named as in rows: `npt@open-human` if trained elsewhere."""
        rows = self.tables[table]
        across = f"{ACROSS}{rows.trained_on}" if rows.trained_on not in (None, dataset) else ""
        return [f"{name}{across}" if self.trained_by(name) else name for name in rows.methods]

    def runs_of(self, table: str) -> list[tuple[str, str, int]]:
        """Return dataset, method and seed of every run of a table, in its order."""
        rows = self.tables[table]
        return [
            (dataset, method, seed)
            for dataset in rows.datasets
            for name, method in zip(rows.methods, self.methods_of(table, dataset), strict=True)
            for seed in rows.seeds_of(name, self.trained_by(name) is not None)
        ]

    def tests_of(self, dataset: str, method: str) -> list[str]:
        """Return the parts of a dataset's split that a method is predicted and scored on.

        These are the test lists of the dataset, and others that a table asks for. Generated poses are compared with the
        training and test poses.
        """
        if self.settings_of(method).medium == "poses":
            return ["train", "unseen"]
        tables = [
            t
            for t, rows in self.tables.items()
            if dataset in rows.datasets and method in self.methods_of(t, dataset)
        ]
        wanted = [
            *self.datasets[dataset].protocols,
            *(p for t in tables for p in self.protocols_of(dataset, t)),
        ]
        return list(dict.fromkeys(wanted))

    def has_render_scores(self, table: str, dataset: str, method: str) -> bool:
        """Return whether a table reads scores of renders of a method: it has a scorer, and rows for them."""
        rows = RENDERED in self.protocols_of(dataset, table) or self.settings_of(method).medium == "poses"
        return self.tables[table].scorer is not None and rows

    def rendered_tests_of(self, dataset: str, method: str) -> list[str]:
        """Return the parts of a dataset's split on which renders of a method are scored."""
        return self.tests_of(dataset, method) if self.methods[method].medium == "poses" else [RENDERED]

    def scorer_of(self, dataset: str) -> str | None:
        """Return the scorer of the images that methods generate; None: there is none, or the dataset is of meshes."""
        return getattr(self.datasets[dataset], "scorer", None)

    def neighbours_of(self, method: str) -> str | None:
        """Return the method whose neighbours a training uses, itself or one that it starts from; None: it uses none."""
        names = [method, *self.methods[method].starts_from.values()]
        return next((n for n in names if self.methods[n].neighbour_settings() is not None), None)

    def trained_by(self, method: str) -> str | None:
        """Return the method whose training gives a method its weights, usually itself; None for a baseline."""
        settings = self.methods[method]
        return settings.shares_weights_with or (method if settings.learned else None)

    def weights_of(self, dataset: str, method: str) -> tuple[str, str] | None:
        """Return dataset and name of the training that gives a row's method its weights; None for a baseline."""
        name, _, elsewhere = method.partition(ACROSS)
        trained = self.trained_by(name)
        return (elsewhere or dataset, trained) if trained else None
