"""One command per stage of the workflow, named like its rule, its package and its tests."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repose.cli.shared import (
    CONFIG,
    RESULTS,
    AsJson,
    ConfigFile,
    Results,
    Seed,
    check_part,
    plan_of,
    plan_of_row,
)
from repose.errors import ReposeError
from repose.medium import module_of

if TYPE_CHECKING:
    from repose.plan import Need, Plan


def raw(
    dataset: Annotated[str | None, typer.Argument(help="name in the config")] = None,
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
    list_all: Annotated[
        bool, typer.Option("--list", help="show every dataset, and whether its files are present")
    ] = False,
    data: Annotated[Path, typer.Option(help="folder of user-supplied data, for --list")] = Path("data/raw"),
    as_json: AsJson = False,
) -> None:
    """Draw the identities and poses of an open dataset, or check and unpack a user-supplied one."""
    if list_all:
        from repose.raw.listing import show

        return show(data, as_json)
    if not dataset:
        raise ReposeError("raw needs DATASET", hint="or --list")
    from repose.raw import collect, generate

    plan = plan_of(config, results, dataset)
    settings: Any = plan.config.datasets[dataset]
    need = plan.raw(dataset)
    if settings.is_licensed:
        collect.run(settings, need.out)
    else:
        generate.run(settings, need.out, need.inputs.get("bodies"))


def convert(dataset: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Write a dataset's bodies as .obj files, or its images as PNGs, with a catalogue; only what changed."""
    plan = plan_of(config, results, dataset)
    settings, need = plan.config.datasets[dataset], plan.convert(dataset)
    stage, files = module_of("repose.convert", settings.medium), plan.converted(dataset)
    stage.run(settings, need.inputs["raw"], need.out, files, _cluster(plan))


def store(dataset: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Pack .obj files, or images, into a Zarr store."""
    plan = plan_of(config, results, dataset)
    settings, need = plan.config.datasets[dataset], plan.store(dataset)
    stage = module_of("repose.store", settings.medium)
    # Images are packed by one process.
    where = {"cluster": _cluster(plan)} if settings.medium == "meshes" else {}
    stage.run(need.inputs["catalog"], need.inputs["files"], need.out, **where)


def split(
    dataset: str,
    part: Annotated[str, typer.Argument(help="train, unseen, seen-pose, one-source, bent or straight")],
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Draw triples (identity mesh, pose mesh, truth), or pairs (source image, target image)."""
    plan = plan_of(config, results, dataset)
    check_part(part, is_list=False)
    settings, need = plan.config.datasets[dataset], plan.split(dataset, part)
    module_of("repose.split", settings.medium).run(settings, part, out=need.out, **need.inputs)


def benchmark(
    dataset: str,
    part: Annotated[str, typer.Argument(help="unseen, seen-pose, one-source, bent or straight")],
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Write the versioned list of a part of a dataset's split, which others may predict."""
    from repose.benchmark.lists import run

    plan = plan_of(config, results, dataset)
    check_part(part)
    need, settings = plan.benchmark(dataset, part), plan.config.datasets[dataset]
    run(settings, dataset, part, **need.inputs, out=need.out)


def benchmark_predict(
    dataset: str,
    part: Annotated[str, typer.Argument(metavar="LIST", help="such as unseen-decimated")],
    method: str,
    seed: Seed = 0,
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Predict a versioned list whose pose meshes are not in the dataset."""
    from repose.benchmark.predict import run

    plan = plan_of_row(config, results, dataset, method)
    check_part(part)
    need = plan.benchmark_predict(dataset, part, method, seed)
    model = need.inputs.get("run")
    settings, compute = plan.config.settings_of(method), plan.config.compute
    run(settings, compute, need.inputs["listed"], need.inputs["store"], model, need.out)


def neighbours(dataset: str, method: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Find the neighbours of the faces of all bodies that a training of NPR encodes."""
    from repose.neighbours.stage import run

    plan = plan_of(config, results, dataset, method)
    need = plan.neighbours(dataset, method)
    settings, threads = plan.config.methods[method], plan.config.compute.threads
    run(settings, need.inputs["store"], need.inputs["split"], need.out, threads)


def train(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Train one method; run it again after a kill and it resumes."""
    from repose.train.stage import run

    plan = plan_of(config, results, dataset, method)
    settings, compute = plan.config.methods[method], plan.config.compute
    need = plan.train(dataset, method, seed)
    store, split, others = _parts(need.inputs, "store", "split")
    run(settings, compute, store, split, seed, plan.results.checkpoints, need.out, others)


def predict(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Predict every test triple, or pair of images."""
    from repose.predict.stage import run

    plan = plan_of_row(config, results, dataset, method)
    need = plan.predict(dataset, method, seed)
    store, model, splits = _parts(need.inputs, "store", "run")
    run(plan.config.settings_of(method), plan.config.compute, store, splits, model, need.out)


def score(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Score predictions against the truth: one row per metric and test triple, or body."""
    from repose.score.stage import run

    plan = plan_of_row(config, results, dataset, method)
    need, medium = plan.score(dataset, method, seed), plan.config.settings_of(method).medium
    predictions, store, scorer, splits = _parts(need.inputs, "predictions", "store", "scorer")
    official = getattr(plan.config.datasets[dataset], "official", None)
    run(predictions, store, splits, need.out, medium, scorer, official)


def score_renders(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Score renders of predicted meshes: one row per body and metric."""
    from repose.score.render_stage import run

    plan = plan_of(config, results, dataset, method)
    need, medium = plan.score_renders(dataset, method, seed), plan.config.methods[method].medium
    predictions, store, scorer, splits = _parts(need.inputs, "predictions", "store", "scorer")
    run(predictions, store, splits, scorer, need.out, medium)


def tables(table: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Compare the methods of a table on its datasets."""
    _make("tables", plan_of(config, results, table=table).tables(table))


def report(table: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Draw the transfers of every method of a table with the truth."""
    _make("report", plan_of(config, results, table=table).report(table))


def conventions(table: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Score the predictions of a table as published evaluations do, and show how its ranks change."""
    plan = plan_of(config, results, table=table)
    if plan.config.medium_of(table) != "meshes":
        raise ReposeError(
            f"{table} is of {plan.config.medium_of(table)}", hint="conventions are of tables of meshes"
        )
    _make("conventions", plan.conventions(table))


def motions(table: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Predict motions of open bodies with the methods of a table, frame by frame, and score them against the truth."""
    plan = plan_of(config, results, table=table)
    if not plan.config.moving(table):
        hint = "motions are of tables of meshes with a dataset of source open-human or open-animal"
        raise ReposeError(f"{table} has no dataset with motions", hint=hint)
    _make("motions", plan.motions(table))


def site(config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Make the pages of all tables for a browser: results/site/index.html."""
    _make("site", plan_of(config, results).site())


def _make(stage: str, need: "Need") -> None:
    """Run a stage that needs only its spec and its inputs."""
    import_module(f"repose.{stage}.stage").run(need.spec, need.inputs, need.out)


def _parts(inputs: Mapping[str, Path], *names: str) -> tuple[Any, ...]:
    """Return some inputs by name, None for a missing one, and the others as a mapping."""
    others = {name: path for name, path in inputs.items() if name not in names}
    return (*(inputs.get(name) for name in names), others)


def _cluster(plan: "Plan") -> Any:
    """Return the cluster for work on files."""
    from repose.cluster import Cluster

    return Cluster(plan.config.convert.workers, plan.config.convert.scheduler)


COMMANDS = (
    raw,
    convert,
    store,
    split,
    benchmark,
    benchmark_predict,
    neighbours,
    train,
    predict,
    score,
    score_renders,
    tables,
    report,
    conventions,
    motions,
    site,
)
