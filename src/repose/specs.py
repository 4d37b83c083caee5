"""What decides each artefact besides its inputs: parameters, code and seed, for rules and commands alike.

The workflow passes a rule's parameters and code to Snakemake; a command writes them to the history and caches finished
results by them. Both ask the same function of this module, so they cannot differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from repose.medium import module_of
from repose.metrics import benchmark, renders
from repose.metrics import conventions as metrics_of_conventions
from repose.metrics import motions as metrics_of_motions
from repose.metrics.metric import modules_of
from repose.protocols import NEW_BODY, OWN_BODY
from repose.provenance.code import code_hash, software
from repose.provenance.manifest import FORMAT

if TYPE_CHECKING:
    from repose.config.models import Compute, Config, Gih
    from repose.medium import Medium
    from repose.methods.settings import MethodSettings


@dataclass(frozen=True)
class Spec:
    """What decides an artefact besides its inputs.

    Attributes:
        stage: name of the stage.
        modules: dotted names of the modules at which its code begins; what they import counts, too.
        params: the settings that decide it, as JSON.
        seed: the seed, if anything is random.
    """

    stage: str
    modules: tuple[str, ...]
    params: Mapping[str, Any]
    seed: int | None = None

    @property
    def code(self) -> str:
        """The hash of its code."""
        return code_hash(*self.modules)

    @property
    def shown(self) -> dict[str, Any]:
        """Return all of it as a rule passes it to Snakemake, with the version of manifests, whose changes count."""
        made_by = {"params": self.params, "code": self.code, "seed": self.seed, "software": self.software}
        return made_by | {"manifests": FORMAT}

    @property
    def version(self) -> str:
        """An identifier of its code and software together."""
        return f"{self.code} {' '.join(f'{name}={number}' for name, number in self.software.items())}"

    @property
    def software(self) -> dict[str, str]:
        """The versions of the packages that its code imports."""
        return software(*self.modules)


def raw(dataset: Any) -> Spec:
    """The recipe of a generated dataset, or the inventory of a user-supplied one."""
    stage = "collect" if dataset.is_licensed else "generate"
    modules, seed = (f"repose.raw.{stage}", *dataset.raw_code), getattr(dataset, "seed", None)
    return Spec("raw", modules, dataset.raw_settings(), seed)


def convert(dataset: Any) -> Spec:
    """The .obj files or images of a dataset, and their catalogue."""
    modules = (f"repose.convert.{dataset.medium}", *dataset.convert_code)
    return Spec("convert", modules, {"source": dataset.source} | dataset.raw_settings())


def store(medium: "Medium") -> Spec:
    """Packed meshes or images."""
    return Spec("store", (f"repose.store.{medium}",), {})


def gih_part(settings: "Gih", number: int) -> Spec:
    """One part of the geodesic distances of a dataset."""
    return Spec("gih", ("repose.gih.stage",), {"part": number} | settings.model_dump(mode="json"))


def gih(settings: "Gih") -> Spec:
    """The geodesic distances of a dataset."""
    return Spec("gih", ("repose.gih.stage",), settings.model_dump(mode="json"))


def split(dataset: Any, part: str) -> Spec:
    """The triples, or pairs of images, of one part of a dataset."""
    params = {"part": part, "split": dataset.split_settings(part)}
    return Spec("split", (f"repose.split.{dataset.medium}",), params, dataset.seed)


VARIANTS = ("decimated", "remeshed", "holes", "noise", "turned")
"""What the pose meshes of a versioned list may be: a list is named like a part of the split, or `{part}-{variant}`."""


OTHER_TRIANGLES = ("decimated", "remeshed", "holes")
"""Of these, vertices of the pose meshes no longer correspond to those of the identities."""


def part_and_variant(listed: str) -> tuple[str, str]:
    """Return the part of the split that a versioned list is from, and the variant of its pose meshes, if any."""
    return next(
        ((listed.removesuffix(f"-{v}"), v) for v in VARIANTS if listed.endswith(f"-{v}")), (listed, "")
    )


def benchmark_list(dataset: Any, name: str, part: str) -> Spec:
    """The versioned list of a part of a dataset's split."""
    params = {"dataset": name, "list": part, "rest_pose": dataset.rest_pose}
    return Spec("benchmark", ("repose.benchmark.lists",), params)


def benchmark_predict(method: "MethodSettings", compute: "Compute") -> Spec:
    """A method's predictions of a versioned list of variants."""
    modules = ("repose.benchmark.predict", _module(method.network))
    return Spec("benchmark-predict", modules, _settings(method, compute))


def handed_in(params: Mapping[str, Any]) -> Spec:
    """Submitted predictions: the card, and the hash of the whole folder."""
    return Spec("handed-in", ("repose.benchmark.score",), params)


def benchmark_scores(params: Mapping[str, Any]) -> Spec:
    """Scores on a versioned list."""
    metrics = modules_of((*benchmark.METRICS, *benchmark.DIAGNOSTICS, *benchmark.WITHOUT_ORDER))
    return Spec("benchmark-score", ("repose.benchmark.score", *metrics), params)


def ranking(params: Mapping[str, Any]) -> Spec:
    """Everything scored on a versioned list, ranked track by track."""
    return Spec("ranking", ("repose.benchmark.rank",), params)


def rank(runs: Sequence[str]) -> Spec:
    """The job that scores and ranks a list: these runs of our methods, baselines, and submissions.

    The table itself depends on its scores: `ranking`.
    """
    scored = benchmark_scores({})
    return Spec("ranking", (*scored.modules, *ranking({}).modules), {"runs": list(runs)})


def neighbours(method: Any) -> Spec:
    """The neighbours of faces that a training looks up."""
    return Spec("neighbours", ("repose.neighbours.stage",), method.neighbour_settings())


def train(method: "MethodSettings", compute: "Compute", seed: int) -> Spec:
    """The weights of a method."""
    assert method.recipe is not None
    modules = ("repose.train.stage", _module(method.recipe), _module(method.network))
    return Spec("train", modules, _settings(method, compute) | {"recipe": method.recipe}, seed)


def predict(method: "MethodSettings", compute: "Compute") -> Spec:
    """A method's predictions of the test lists."""
    modules = ("repose.predict.stage", f"repose.predict.{method.medium}", _module(method.network))
    return Spec("predict", modules, _settings(method, compute))


def score(medium: "Medium", official: Any = None) -> Spec:
    """The scores of predictions; `official` names the published scorers of photos."""
    params = {"medium": medium} | ({"official": official.model_dump(mode="json")} if official else {})
    metrics = modules_of(module_of("repose.metrics", medium).METRICS)
    return Spec("score", ("repose.score.stage", f"repose.score.{medium}", *metrics), params)


def score_renders(medium: "Medium") -> Spec:
    """The scores of renders of predicted meshes."""
    modules = ("repose.score.render_stage", *modules_of(renders.METRICS))
    return Spec("score-renders", modules, {"medium": medium})


def tables(config: "Config", table: str) -> Spec:
    """A table over runs; the rows that it must have are part of the spec."""
    rows, medium = config.tables[table], config.medium_of(table)
    params = {
        "table": table,
        "medium": medium,
        "runs": _runs(config, table),
        "protocols": {
            dataset: [*config.protocols_of(dataset, table), OWN_BODY, NEW_BODY] for dataset in rows.datasets
        },
    }
    return Spec("tables", ("repose.tables.stage", f"repose.tables.{medium}"), params)


def report(config: "Config", table: str) -> Spec:
    """The figure of a table."""
    rows, medium = config.tables[table], config.medium_of(table)
    shown = {
        dataset: {
            method: NEW_BODY
            if config.settings_of(method).medium == "poses"
            else config.protocols_of(dataset, table)[0]
            for method in config.methods_of(table, dataset)
        }
        for dataset in rows.datasets
    }
    params = {"table": table, "medium": medium, "shown": shown}
    return Spec("report", ("repose.report.stage", f"repose.report.{medium}"), params)


def conventions(config: "Config", table: str) -> Spec:
    """The predictions of a table under every convention."""
    params = {
        "table": table,
        "runs": _runs(config, table),
        "protocols": {
            dataset: config.protocols_of(dataset, table) for dataset in config.tables[table].datasets
        },
    }
    modules = modules_of(metrics_of_conventions.METRICS)
    return Spec("conventions", ("repose.conventions.stage", *modules), params)


def motions(config: "Config", table: str, runs: Sequence[str]) -> Spec:
    """The motions predicted by these runs of a table's methods, frame by frame, on datasets that have motions."""
    names = dict.fromkeys(tuple(name.split("/")[:2]) for name in runs)
    of: dict[str, Any] = {dataset: config.datasets[dataset] for dataset, _ in names}
    methods = {method: config.settings_of(method) for _, method in names}
    params = {
        "table": table,
        "runs": list(runs),
        "datasets": {
            name: {
                "motions": dataset.motions,
                "identities": dataset.identities.numbers(),
                "poses": dataset.poses.numbers(),
            }
            for name, dataset in of.items()
        },
        "methods": {name: settings.model_dump(mode="json") for name, settings in methods.items()},
        "compute": config.compute.model_dump(mode="json"),
        **config.motions.model_dump(mode="json"),
    }
    moving: Iterable[str] = (dataset.motions for dataset in of.values())
    networks = (_module(settings.network) for settings in methods.values())
    modules = dict.fromkeys(
        ("repose.motions.stage", *moving, *networks, *modules_of(metrics_of_motions.METRICS))
    )
    return Spec("motions", tuple(modules), params)


def site(config: "Config") -> Spec:
    """The pages of all tables."""
    media = {table: config.medium_of(table) for table in config.tables}
    known = {settings.architecture: settings.about() for settings in config.methods.values()}
    about = {name: sha256(text.encode()).hexdigest()[:16] for name, text in sorted(known.items()) if text}
    params = {"tables": media, "pairs": config.site.pairs, "about": about}
    return Spec("site", ("repose.site.stage",), params)


def import_weights(network: str, system: str) -> Spec:
    """Released weights of a system in our format."""
    return Spec("import-weights", ("repose.weights.convert", _module(network)), {"from": system})


def _runs(config: "Config", table: str) -> list[str]:
    """Return the runs of a table, as in the names of inputs such as `scores:{run}`."""
    return [f"{dataset}/{method}/seed{seed}" for dataset, method, seed in config.runs_of(table)]


def _settings(method: "MethodSettings", compute: "Compute") -> dict[str, Any]:
    """Return a method's settings, its class, what it is told, and if it learns where it computes."""
    params = {
        "method": method.model_dump(mode="json"),
        "network": method.network,
        "told": sorted(method.told),
    }
    return params | ({"compute": compute.model_dump(mode="json")} if method.learned else {})


def _module(reference: str) -> str:
    """Return `module` of `module:name`."""
    return reference.partition(":")[0]
