"""The command line: one command per stage, named like its rule, its package and its tests.

Commands import what they need when they run, so that `repose --help` answers at once.
"""

import errno
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repose.audit.cli import COMMANDS as PROVENANCE
from repose.errors import ReposeError

if TYPE_CHECKING:
    from repose.plan import Plan

app = typer.Typer(
    help="Pose transfer for meshes: data pipeline, trainings, tables. The workflow calls one command per stage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[Path, typer.Option("--config", envvar="REPOSE_CONFIG", help="config file")]
Results = Annotated[Path, typer.Option("--results", help="folder of the workflow's results")]
Seed = Annotated[int, typer.Option(help="of the training")]
RESULTS, CONFIG = Path("results"), Path("config.yaml")


@app.command()
def raw(
    dataset: Annotated[str | None, typer.Argument(help="name in the config")] = None,
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
    list_all: Annotated[
        bool, typer.Option("--list", help="show every dataset, and whether it is here")
    ] = False,
    data: Annotated[Path, typer.Option(help="folder of user-supplied data, for --list")] = Path("data/raw"),
    json: Annotated[bool, typer.Option("--json", help="print the list as JSON")] = False,
) -> None:
    """Draw the identities and poses of an open dataset, or check and unpack a user-supplied one."""
    if list_all:
        from repose.raw.listing import show

        return show(data, json)
    if not dataset:
        raise ReposeError("raw needs DATASET", hint="or --list")
    from repose.raw import collect, generate

    plan = _plan(config, results)
    settings, need = _named(plan.config.datasets, dataset, "dataset"), plan.raw(dataset)
    if settings.is_licensed:
        collect.run(settings, need.out)
    else:
        generate.run(settings, need.out, need.inputs.get("bodies"))


@app.command()
def convert(dataset: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Write a dataset's bodies as .obj files, or its images as PNGs, with a catalogue; only what changed."""
    plan = _plan(config, results)
    settings, need = _named(plan.config.datasets, dataset, "dataset"), plan.convert(dataset)
    files = plan.converted(dataset)
    _of("convert", settings.medium).run(settings, need.inputs["raw"], need.out, files, _cluster(plan))


@app.command()
def store(dataset: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Pack .obj files, or images, into a Zarr store."""
    plan = _plan(config, results)
    settings, need = _named(plan.config.datasets, dataset, "dataset"), plan.store(dataset)
    _of("store", settings.medium).run(need.inputs["catalog"], need.inputs["files"], need.out, _cluster(plan))


@app.command()
def split(
    dataset: str,
    part: Annotated[str, typer.Argument(help="train, unseen, seen-pose or one-source")],
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Draw triples (identity mesh, pose mesh, truth), or pairs (source image, target image)."""
    plan = _plan(config, results)
    settings, need = _named(plan.config.datasets, dataset, "dataset"), plan.split(dataset, part)
    _of("split", settings.medium).run(settings, part, need.inputs["catalog"], need.out)


@app.command()
def neighbours(dataset: str, method: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Find the neighbours of the faces of all bodies that a training of NPR encodes."""
    from repose.neighbours.stage import run

    plan = _plan(config, results, dataset, method)
    need = plan.neighbours(dataset, method)
    settings, threads = plan.config.methods[method], plan.config.compute.threads
    run(settings, need.inputs["store"], need.inputs["split"], need.out, threads)


@app.command()
def train(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Train one method; run it again after a kill and it resumes."""
    from repose.train.stage import run

    plan = _plan(config, results, dataset, method)
    settings, compute = plan.config.methods[method], plan.config.compute
    need = plan.train(dataset, method, seed)
    store, split, others = _parts(need.inputs, "store", "split")
    run(settings, compute, store, split, seed, plan.results.checkpoints, need.out, others)


@app.command()
def predict(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Predict every test triple, or pair of images."""
    from repose.predict.stage import run

    plan = _plan(config, results, dataset, method)
    need = plan.predict(dataset, method, seed)
    store, model, splits = _parts(need.inputs, "store", "run")
    run(plan.config.methods[method], plan.config.compute, store, splits, model, need.out)


@app.command()
def score(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Score predictions against the truth: a row per test triple, or body, and metric."""
    from repose.score.stage import run

    plan = _plan(config, results, dataset, method)
    need, medium = plan.score(dataset, method, seed), plan.config.methods[method].medium
    predictions, store, scorer, splits = _parts(need.inputs, "predictions", "store", "scorer")
    official = getattr(plan.config.datasets[dataset], "official", None)
    run(predictions, store, splits, need.out, medium, scorer, official)


@app.command("score-renders")
def score_renders(
    dataset: str, method: str, seed: Seed = 0, config: ConfigFile = CONFIG, results: Results = RESULTS
) -> None:
    """Score pictures of predicted meshes: a row per body and metric."""
    from repose.score.render_stage import run

    plan = _plan(config, results, dataset, method)
    need, medium = plan.score_renders(dataset, method, seed), plan.config.methods[method].medium
    predictions, store, scorer, splits = _parts(need.inputs, "predictions", "store", "scorer")
    run(predictions, store, splits, scorer, need.out, medium)


@app.command()
def tables(table: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Compare the methods of a table on its datasets."""
    from repose.tables.stage import run

    plan = _plan(config, results)
    _named(plan.config.tables, table, "table")
    need = plan.tables(table)
    run(need.spec, need.inputs, need.out)


@app.command()
def report(table: str, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Draw transfers of every method of a table beside the truth."""
    from repose.report.stage import run

    plan = _plan(config, results)
    _named(plan.config.tables, table, "table")
    need = plan.report(table)
    run(need.spec, need.inputs, need.out)


@app.command("import-weights")
def import_weights(
    files: Annotated[list[Path], typer.Argument(help="all released files of one model")],
    system: Annotated[str, typer.Option("--from", help="npt, 3d-corenet or mapconnet")],
    out: Annotated[Path, typer.Option("--out", help="model.safetensors to write")],
    pooling: Annotated[
        str | None, typer.Option(help="which NPT: none is the original, max the max-pool variant")
    ] = None,
) -> None:
    """Bring in the published weights of a system; tensors only, every key and shape checked."""
    from repose.weights.stage import run

    run(system, files, out, pooling)


@app.command("export-images")
def export_images(
    dataset: str,
    out: Annotated[Path, typer.Option("--out", help="folder to make")],
    results: Results = RESULTS,
    method: Annotated[str | None, typer.Option(help="write what it drew of the test pairs")] = None,
    seed: Annotated[int, typer.Option(help="of the method")] = 0,
) -> None:
    """Write a dataset of images and its pairs in the layout of Intrinsic Flow's archives, .corr files included.

    With --method: the images that it drew of the test pairs, named as the released evaluation reads them.
    """
    from repose.results import Results as Places
    from repose.store.image_store import ImageStore
    from repose.use.export_images import export_archive, export_drawn

    where = Places(results)
    if method:
        return export_drawn(where.predictions(dataset, method, seed), out)
    folder = where.split(dataset, "train").parent
    splits = sorted(folder.glob("*.parquet"))
    if not splits:
        raise ReposeError("no pairs", folder, "make the splits first")
    export_archive(ImageStore(where.packed("images", dataset)), splits, out)


@app.command()
def transfer(
    identity: Annotated[Path, typer.Option(help="body to keep: .obj, .ply, .off or .glb")],
    pose: Annotated[Path, typer.Option(help="mesh in the pose to take; any vertex count")],
    model: Annotated[
        Path, typer.Option(help="results/runs/DATASET/METHOD/seedN, or an imported .safetensors")
    ],
    out: Annotated[Path, typer.Option("--out", help="mesh to write; the suffix chooses the format")],
    up: Annotated[
        str, typer.Option(help="up axis of both: x, y, z, -x, -y, -z, or auto to find it")
    ] = "auto",
    unit: Annotated[
        str, typer.Option(help="unit of both: m, cm, mm, in, ft, metres per unit, or auto")
    ] = "auto",
    pose_up: Annotated[str | None, typer.Option(help="up axis of the pose mesh, if another")] = None,
    pose_unit: Annotated[str | None, typer.Option(help="unit of the pose mesh, if another")] = None,
    report: Annotated[Path | None, typer.Option(help="PNG to draw identity, pose and result into")] = None,
    pose_rest: Annotated[
        Path | None,
        typer.Option(help="the body of the pose mesh at rest; npr alone needs it, and identity at rest"),
    ] = None,
) -> None:
    """Pose one mesh like another; vertex order, faces, axes and unit stay those of the identity."""
    from repose.use.transfer.command import Said, run

    says = Said(up, unit), Said(pose_up or up, pose_unit or unit)
    run(identity, pose, model, out, says, report, pose_rest)


@app.command()
def generate(
    run: Annotated[
        Path, typer.Option("--run", help="results/runs/DATASET/METHOD/seedN of a method that makes up poses")
    ],
    out: Annotated[Path, typer.Option("--out", help="folder to write the meshes and sheet.png to")],
    n: Annotated[int, typer.Option("--n", min=1, help="how many poses")] = 16,
    template: Annotated[
        Path | None,
        typer.Option(help="body at rest to pose: .obj, .ply, .off or .glb; the one learned from if left out"),
    ] = None,
    seed: Annotated[int, typer.Option(help="other poses for another number")] = 0,
    up: Annotated[str, typer.Option(help="up axis of the template: x, y, z, -x, -y, -z, or auto")] = "auto",
    unit: Annotated[str, typer.Option(help="its unit: m, cm, mm, in, ft, metres per unit, or auto")] = "auto",
) -> None:
    """Write meshes of new poses, and a contact sheet of them."""
    from repose.use.generate import generate as write
    from repose.use.transfer.command import Said

    write(run, out, n, template, seed, Said(up, unit))


@app.command()
def doctor(
    meshes: Annotated[
        list[Path], typer.Argument(help=".obj, .ply, .off or .glb files, or names of converted datasets")
    ],
    json: Annotated[bool, typer.Option("--json", help="print one JSON object per mesh or dataset")] = False,
    results: Results = RESULTS,
) -> None:
    """Say what is unusual about meshes or datasets: up axis, unit, holes, pieces, bad faces, duplicates."""
    from repose.use.doctor import command, dataset

    for mesh in meshes:
        if catalog := dataset.catalog_of(str(mesh), results):
            dataset.run(catalog, json)
        else:
            command.run([mesh], json)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def gih(context: typer.Context) -> None:
    """Geodesics in heat: compute, query, info, import; part and gather for the workflow."""
    from repose.gih.cli import app as commands

    commands(context.args, prog_name="repose gih")


@app.command()
def config(
    write: Annotated[
        Path | None, typer.Option(help="folder to write config.schema.json, config.md and data.md to")
    ] = None,
    check: Annotated[Path | None, typer.Option(help="config file to check")] = None,
) -> None:
    """Check a config file, or write the generated pages of docs/."""
    from repose.config.load import load_files
    from repose.config.reference import reference, schema
    from repose.provenance.publish import write_text
    from repose.raw.page import page

    if check:
        load_files(check)
    if write:
        write_text(write / "config.schema.json", schema())
        write_text(write / "config.md", reference())
        write_text(write / "data.md", page())


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(help="convert, corenet, dag, gih, iepgan, images, loader, npr, obj, poisson or store"),
    ],
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Run the plain way and ours on the same work, alternating, and print medians and ratio."""
    from repose.bench import run

    run(name, json)


for command in PROVENANCE:
    app.command()(command)


def _plan(config: Path, results: Path, dataset: str | None = None, method: str | None = None) -> "Plan":
    """The plan of a config file; names that it does not have are refused."""
    from repose.config.load import load_files
    from repose.plan import Plan
    from repose.results import Results

    plan = Plan(load_files(config), Results(results))
    if dataset is not None:
        _named(plan.config.datasets, dataset, "dataset")
    if method is not None:
        _named(plan.config.methods, method, "method")
    return plan


def _of(stage: str, medium: str) -> Any:
    """The module of a stage for a medium."""
    return import_module(f"repose.{stage}.{medium}")


def _parts(inputs: Mapping[str, Path], *names: str) -> tuple[Any, ...]:
    """Some inputs by name, None for one that is not there, and the others as a mapping."""
    others = {name: path for name, path in inputs.items() if name not in names}
    return (*(inputs.get(name) for name in names), others)


def _cluster(plan: "Plan") -> Any:
    """Where work on files runs."""
    from repose.cluster import Cluster

    return Cluster(plan.config.convert.workers, plan.config.convert.scheduler)


def _named(known: Mapping[str, Any], name: str, kind: str) -> Any:
    if name not in known:
        raise ReposeError(f"no {kind} named {name!r}", hint=f"the config has {', '.join(known)}")
    return known[name]


def main() -> None:
    """Run the command line; an expected failure is one line on stderr and a status that is not 0."""
    try:
        app()
    except ReposeError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted; nothing was left half written", 130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        where, why = error.filename or "output", os.strerror(error.errno)
        _fail(f"{where}: {why} (hint: free space or mend the folder, then run again)", 1)


def _fail(message: str, status: int) -> None:
    print(f"repose: error: {message}", file=sys.stderr)
    sys.exit(status)
