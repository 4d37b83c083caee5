"""What every artefact needs: inputs, parameters, code, resources, as pure functions of the checked configuration.

The rules of the workflow and the commands ask the same `Plan`; rules ask with Snakemake's wildcards, whose names are
those of the arguments here. Nothing is read or written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from repose import specs
from repose.config.models import Config
from repose.gih.costs import LIBRARIES_MIB, asks_for_gpu, mesh_mib
from repose.methods.copies.settings import only_copies
from repose.methods.tracks import left_out
from repose.provenance.manifest import manifest_path
from repose.raw.settings import Protocol
from repose.results import Results
from repose.specs import Spec

PROTOCOLS: tuple[str, ...] = get_args(Protocol)


@dataclass(frozen=True)
class Need:
    """What one artefact needs.

    Attributes:
        spec: what decides the artefact besides its inputs.
        out: its main file or folder.
        inputs: main files of other artefacts, by their names in its history.
        beside: files that were made together with the inputs and are also read.
        supplied: files of a user, whose changes count.
        watched: names of the inputs whose change starts the job; None: all. Inputs of these inputs are left out.
        threads, memory_mb, gpus: resources of its job, as far as they depend on names; the rest is in the rules.
    """

    spec: Spec
    out: Path
    inputs: Mapping[str, Path]
    beside: tuple[Path, ...] = ()
    supplied: tuple[Path, ...] = ()
    watched: tuple[str, ...] | None = None
    threads: int = 1
    memory_mb: int = 4000
    gpus: int = 0

    @property
    def data(self) -> list[Path]:
        """The files of the inputs that rules declare; for the distances, which outlive their job, only the index."""
        files = [path / "zarr.json" if name == "gih" else path for name, path in self.inputs.items()]
        return [*files, *self.beside]

    @property
    def manifests(self) -> list[Path]:
        """The manifests of the inputs whose change starts the job, each once."""
        names = self.inputs if self.watched is None else self.watched
        return list(dict.fromkeys(manifest_path(self.inputs[name]) for name in names))


class Plan:
    """The needs of every artefact of a configuration.

    Args:
        config: the checked configuration.
        results: paths of the artefacts.
        auto_has_gpu: whether the jobs run where `auto` finds a GPU, so that they request one.
    """

    def __init__(self, config: Config, results: Results | None = None, auto_has_gpu: bool = False):
        self.config, self.results = config, results or Results()
        self.on_gpu = config.compute.device == "cuda" or (config.compute.device == "auto" and auto_has_gpu)
        self.gih_on_gpu = config.gih.backend == "cuda" or (config.gih.backend == "auto" and auto_has_gpu)
        self.asks_for_gpus = self.on_gpu or self.gih_on_gpu
        self.need: Callable[..., Need] = cache(self._need)

    def _need(self, rule: str, **names: str) -> Need:
        """Return what the artefact of a rule with these wildcards needs; computed once."""
        return getattr(self, rule)(**names)

    # Data

    def raw(self, dataset: str) -> Need:
        """The recipe of a generated dataset, or the inventory of a user-supplied one."""
        settings = self.config.datasets[dataset]
        bodies = getattr(settings, "bodies", None)  # the dataset whose people the rendered images show
        out = self.results.inventory if settings.is_licensed else self.results.recipe
        inputs = {"bodies": self.results.recipe(bodies)} if bodies else {}
        return Need(specs.raw(settings), out(dataset), inputs, memory_mb=6000)

    def convert(self, dataset: str) -> Need:
        """The .obj files or images of a dataset, and their catalogue."""
        settings = self.config.datasets[dataset]
        inputs = {"raw": self.raw(dataset).out}
        beside = (self.results.unpacked(dataset),) if settings.is_licensed else ()
        spec, out = specs.convert(settings), self.results.catalog(dataset)
        return Need(spec, out, inputs, beside, memory_mb=3000)

    def store(self, dataset: str) -> Need:
        """The packed meshes or images of a dataset."""
        medium = self.config.datasets[dataset].medium
        inputs = {"catalog": self.results.catalog(dataset), "files": self.converted(dataset)}
        return Need(specs.store(medium), self.packed(dataset), inputs)

    def converted(self, dataset: str) -> Path:
        """Return the path of the .obj files or images of a dataset."""
        return self.results.converted(self.config.datasets[dataset].medium, dataset)

    def packed(self, dataset: str) -> Path:
        """Return the path of the packed meshes or images of a dataset."""
        return self.results.packed(self.config.datasets[dataset].medium, dataset)

    def gih_part(self, dataset: str, number: str | int) -> Need:
        """One part of the geodesic distances of a dataset."""
        settings = self.config.gih
        # Workers on other machines do not count as the job's own.
        local = settings.scheduler in ("threads", "processes")
        processes = settings.workers if settings.scheduler == "processes" else 0
        vertices = self.config.datasets[dataset].vertices
        meshes = settings.workers * mesh_mib(vertices) if local else 0
        return Need(
            specs.gih_part(settings, int(number)),
            self.results.gih_part(dataset, number),
            {"store": self.packed(dataset)},
            memory_mb=(1 + processes) * LIBRARIES_MIB + meshes,
            gpus=int(self.gih_on_gpu and asks_for_gpu(settings.backend, vertices, settings.workers)),
        )

    def gih(self, dataset: str) -> Need:
        """The geodesic distances of a dataset."""
        parts = (self.results.gih_part(dataset, number) for number in range(self.config.gih.parts))
        inputs = {part.stem: part for part in parts}
        return Need(specs.gih(self.config.gih), self.results.gih(dataset), inputs, memory_mb=2000)

    def split(self, dataset: str, part: str) -> Need:
        """The triples, or pairs of images, of one part of a dataset."""
        spec = specs.split(self.config.datasets[dataset], part)
        listed = spec.params["split"].get("test_list")
        inputs = {"catalog": self.results.catalog(dataset)}
        if part in self.config.datasets[dataset].halves:
            inputs["raw"] = self.raw(dataset).out
        return Need(
            spec,
            self.results.split(dataset, part),
            inputs,
            supplied=(Path(listed),) if listed else (),
            memory_mb=2000,
        )

    def benchmark(self, dataset: str, part: str) -> Need:
        """The versioned list of a part of a dataset's split."""
        of, variant = specs.part_and_variant(part)
        inputs = {
            "catalog": self.results.catalog(dataset),
            "split": self.results.split(dataset, of),
            "train": self.results.split(dataset, "train"),
        }
        if variant:
            inputs["store"] = self.packed(dataset)
        spec = specs.benchmark_list(self.config.datasets[dataset], dataset, part)
        out = self.results.benchmark_list(dataset, part)
        return Need(spec, out, inputs, memory_mb=2000)

    def benchmark_predict(self, dataset: str, part: str, method: str, seed: str | int) -> Need:
        """A method's predictions of a versioned list of variants."""
        settings, compute = self.config.settings_of(method), self.config.compute
        inputs = {"listed": self.results.benchmark_list(dataset, part), "store": self.packed(dataset)}
        if trained := self.config.weights_of(dataset, method):
            inputs["run"] = self.results.run(*trained, seed)
        return Need(
            specs.benchmark_predict(settings, compute),
            self.results.benchmark_predictions(dataset, part, method, seed),
            inputs,
            memory_mb=8000,
            gpus=int(self.on_gpu and settings.learned),
        )

    def rank(self, dataset: str, part: str) -> Need:
        """The ranking of a versioned list: our methods in the tables of its dataset, baselines, and submissions."""
        variant = specs.part_and_variant(part)[1]
        inputs = {"listed": self.results.benchmark_list(dataset, part), "store": self.packed(dataset)}
        if recipe := self.parts_of(dataset):
            inputs["recipe"] = recipe
        for method, seed in self.ranked(dataset, part):
            of_list = self.results.benchmark_predictions(dataset, part, method, seed)
            of_split = self.results.predictions(dataset, method, seed)
            inputs[f"{method}/seed{seed}"] = of_list if variant else of_split
        runs = [name for name in inputs if "/" in name]
        watched = ("listed", *runs)
        return Need(specs.rank(runs), self.results.ranking(dataset, part), inputs, watched=watched)

    def parts_of(self, dataset: str) -> Path | None:
        """Return the recipe of generated bodies, which states their rigid parts; None for other datasets."""
        return None if self.config.datasets[dataset].is_licensed else self.results.recipe(dataset)

    def ranked(self, dataset: str, part: str) -> list[tuple[str, int]]:
        """Return method and seed of each of our rows in the ranking of a list: those in the tables of its dataset.

        Methods whose track needs more than the list gives have no row; see `left_out`.
        """
        left_out = self.left_out(dataset, part)
        return [(method, seed) for method, seed in self._tested(dataset, part) if method not in left_out]

    def left_out(self, dataset: str, part: str) -> dict[str, str]:
        """Return by method why one of ours has no row in the ranking of a list."""
        variant = specs.part_and_variant(part)[1]
        other = variant in specs.OTHER_TRIANGLES
        names = dict.fromkeys(method for method, _ in self._tested(dataset, part))
        found = ((name, left_out(self.config.settings_of(name), bool(variant), other)) for name in names)
        return {name: why for name, why in found if why}

    def _tested(self, dataset: str, part: str) -> list[tuple[str, int]]:
        """Return method and seed of each mesh run in the tables of a dataset that is tested on the part of a list.

        Methods that only copy are baselines of every ranking anyway.
        """
        of, found = specs.part_and_variant(part)[0], []
        runs = (run for table in self.config.tables for run in self.config.runs_of(table))
        for name, method, seed in dict.fromkeys(runs):
            settings = self.config.settings_of(method)
            if name == dataset and settings.medium == "meshes" and not only_copies(settings.model_dump()):
                found += [(method, seed)] if of in self.config.tests_of(dataset, method) else []
        return found

    # Methods

    def neighbours(self, dataset: str, method: str) -> Need:
        """The neighbours of faces that trainings of a method look up."""
        inputs = {"store": self.packed(dataset), "split": self.results.split(dataset, "train")}
        out = self.results.neighbours(dataset, method)
        return Need(specs.neighbours(self.config.methods[method]), out, inputs)

    def train(self, dataset: str, method: str, seed: str | int) -> Need:
        """The weights of a method."""
        settings, compute = self.config.methods[method], self.config.compute
        devices = compute.devices_of(settings)
        inputs = {"store": self.packed(dataset), "split": self.results.split(dataset, "train")}
        if settings.reads_gih:
            inputs["gih"] = self.results.gih(dataset)
        if neighbours := self.config.neighbours_of(method):
            inputs["neighbours"] = self.results.neighbours(dataset, neighbours)
        for part, other in settings.starts_from.items():
            inputs[part] = self.results.run(dataset, other, seed)
        return Need(
            specs.train(settings, compute, int(seed)),
            self.results.run(dataset, method, seed),
            inputs,
            threads=devices * compute.threads,
            memory_mb=8000 * devices,
            gpus=devices * int(self.on_gpu),
        )

    def predict(self, dataset: str, method: str, seed: str | int) -> Need:
        """A method's predictions of the test lists."""
        settings, compute = self.config.settings_of(method), self.config.compute
        inputs = {
            "store": self.packed(dataset),
            **self._splits(dataset, self.config.tests_of(dataset, method)),
        }
        if trained := self.config.weights_of(dataset, method):
            inputs["run"] = self.results.run(*trained, seed)
        return Need(
            specs.predict(settings, compute),
            self.results.predictions(dataset, method, seed),
            inputs,
            memory_mb=8000,
            gpus=int(self.on_gpu and settings.learned),
        )

    def score(self, dataset: str, method: str, seed: str | int) -> Need:
        """The scores of predictions."""
        inputs = self._scored(dataset, method, seed, self.config.tests_of(dataset, method))
        if scorer := self.config.scorer_of(dataset):
            inputs["scorer"] = self.results.run(dataset, scorer, 0)
        official = getattr(self.config.datasets[dataset], "official", None)
        spec = specs.score(self.config.settings_of(method).medium, official)
        return Need(spec, self.results.scores(dataset, method, seed), inputs)

    def score_renders(self, dataset: str, method: str, seed: str | int) -> Need:
        """The scores of renders of predicted meshes."""
        inputs = self._scored(dataset, method, seed, self.config.rendered_tests_of(dataset, method))
        # All tables with a scorer have the same one.
        scorer = next(table.scorer for table in self.config.tables.values() if table.scorer)
        inputs["scorer"] = self.results.run(dataset, scorer, 0)
        spec = specs.score_renders(self.config.methods[method].medium)
        return Need(spec, self.results.render_scores(dataset, method, seed), inputs)

    def _scored(self, dataset: str, method: str, seed: str | int, parts: list[str]) -> dict[str, Path]:
        predictions = self.results.predictions(dataset, method, seed)
        return {"predictions": predictions, "store": self.packed(dataset), **self._splits(dataset, parts)}

    def _splits(self, dataset: str, parts: list[str]) -> dict[str, Path]:
        return {part: self.results.split(dataset, part) for part in parts}

    # Tables

    def tables(self, table: str) -> Need:
        """A table over runs: the scores, predictions and weights of each."""
        inputs: dict[str, Path] = {}
        for dataset, method, seed in self.config.runs_of(table):
            run = f"{dataset}/{method}/seed{seed}"
            inputs[f"scores:{run}"] = self.results.scores(dataset, method, seed)
            inputs[f"predictions:{run}"] = self.results.predictions(dataset, method, seed)
            if trained := self.config.weights_of(dataset, method):
                inputs[f"run:{run}"] = self.results.run(*trained, seed)
            if self.config.has_render_scores(table, dataset, method):
                inputs[f"render-scores:{run}"] = self.results.render_scores(dataset, method, seed)
        spec, watched = specs.tables(self.config, table), tuple(n for n in inputs if "scores:" in n)
        return Need(spec, self.results.table(table), inputs, watched=watched)

    def report(self, table: str) -> Need:
        """The figure of a table: the first seed of each of its runs."""
        inputs: dict[str, Path] = {}
        for dataset, method, seed in self.config.runs_of(table):
            if seed == self.config.tables[table].seeds[0]:
                inputs[f"predictions:{dataset}/{method}"] = self.results.predictions(dataset, method, seed)
                inputs[f"store:{dataset}"] = self.packed(dataset)
        spec, watched = specs.report(self.config, table), tuple(n for n in inputs if "predictions:" in n)
        return Need(spec, self.results.figure(table), inputs, watched=watched)

    def conventions(self, table: str) -> Need:
        """The predictions of a table of meshes under every convention."""
        inputs: dict[str, Path] = {}
        for dataset, method, seed in self.config.runs_of(table):
            run = f"{dataset}/{method}/seed{seed}"
            inputs[f"predictions:{run}"] = self.results.predictions(dataset, method, seed)
            inputs[f"store:{dataset}"] = self.packed(dataset)
            for part in self.config.protocols_of(dataset, table):
                inputs[f"{part}:{dataset}"] = self.results.split(dataset, part)
        spec, watched = specs.conventions(self.config, table), tuple(n for n in inputs if "predictions:" in n)
        return Need(spec, self.results.conventions(table), inputs, watched=watched)

    def motions(self, table: str) -> Need:
        """The predicted motions of the methods of a table of meshes, with the first seed of each."""
        inputs: dict[str, Path] = {}
        runs = []
        for dataset, method, seed in self.config.runs_of(table):
            if seed == self.config.tables[table].seeds[0] and dataset in self.config.moving(table):
                runs.append(f"{dataset}/{method}/seed{seed}")
                inputs[f"raw:{dataset}"] = self.results.recipe(dataset)
                if trained := self.config.weights_of(dataset, method):
                    inputs[f"run:{runs[-1]}"] = self.results.run(*trained, seed)
        learned = any(name.startswith("run:") for name in inputs)
        spec, out = specs.motions(self.config, table, runs), self.results.motions(table)
        return Need(spec, out, inputs, memory_mb=8000, gpus=int(self.on_gpu and learned))

    def site(self) -> Need:
        """The pages of all tables: for each method the predictions of its first seed, for each training its curve."""
        inputs = {f"table:{table}": self.results.table(table) for table in self.config.tables}
        for table, rows in self.config.tables.items():
            for dataset, method, seed in self.config.runs_of(table):
                inputs[f"store:{dataset}"] = self.packed(dataset)
                inputs[f"catalog:{dataset}"] = self.results.catalog(dataset)
                if trained := self.config.weights_of(dataset, method):
                    inputs[f"run:{'/'.join(trained)}/seed{seed}"] = self.results.run(*trained, seed)
                if seed != rows.seeds[0]:
                    continue
                where = f"{dataset}/{method}"
                inputs[f"predictions:{where}"] = self.results.predictions(dataset, method, seed)
                # Scores of poses are of sets, and not of pairs.
                if self.config.settings_of(method).medium != "poses":
                    inputs[f"scores:{where}"] = self.results.scores(dataset, method, seed)
        watched = tuple(name for name in inputs if name.startswith("table:"))
        return Need(specs.site(self.config), self.results.site, inputs, watched=watched)
