"""The command line: one command per stage, named like its rule, its package and its tests.

Commands import what they need when they run, so that `repose --help` answers at once.
"""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from repose.audit.cli import COMMANDS as PROVENANCE
from repose.errors import ReposeError

app = typer.Typer(
    help="Pose transfer for meshes: data pipeline, trainings, tables. The workflow calls one command per stage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[Path, typer.Option("--config", envvar="REPOSE_CONFIG", help="config file")]
Out = Annotated[Path, typer.Option("--out", help="what to write")]
Results = Annotated[Path, typer.Option("--results", help="folder of the workflow's results")]
StorePath = Annotated[Path, typer.Option("--store", help="packed meshes or images (Zarr)")]
Splits = Annotated[Path, typer.Option("--splits", help="folder of the dataset's splits")]


@app.command()
def raw(
    dataset: Annotated[str | None, typer.Argument(help="name in the config")] = None,
    config: Annotated[Path | None, typer.Option(envvar="REPOSE_CONFIG", help="config file")] = None,
    out: Annotated[Path | None, typer.Option(help="what to write")] = None,
    list_all: Annotated[
        bool, typer.Option("--list", help="show every dataset, and whether it is here")
    ] = False,
    data: Annotated[Path, typer.Option(help="folder of what was brought, for --list")] = Path("data/raw"),
    json: Annotated[bool, typer.Option("--json", help="print the list as JSON")] = False,
    bodies: Annotated[
        Path | None, typer.Option(help="recipe of the people that a dataset of rendered images shows")
    ] = None,
) -> None:
    """Draw the identities and poses of an open dataset, or check and unpack what was brought for a licensed one."""
    if list_all:
        from repose.raw.listing import show

        return show(data, json)
    if not (dataset and config and out):
        raise ReposeError("raw needs DATASET, --config and --out", hint="or --list")
    from repose.raw.stage import run

    run(_dataset(config, dataset), out, bodies)


@app.command()
def convert(
    dataset: str, config: ConfigFile, raw: Annotated[Path, typer.Option(help="raw data")], out: Out
) -> None:
    """Write a dataset's bodies as .obj files, or its images as PNGs, with a catalogue; only what changed."""
    from repose.convert import images as image_stage
    from repose.convert import meshes as stage

    chosen = _dataset(config, dataset)
    run = image_stage.run if chosen.medium == "images" else stage.run
    run(chosen, raw, out, _cluster(config))


@app.command()
def store(
    catalog: Annotated[Path, typer.Option(help="catalogue of the .obj files or images")],
    out: Out,
    config: Annotated[Path | None, typer.Option(envvar="REPOSE_CONFIG", help="config file")] = None,
    images: Annotated[bool, typer.Option("--images", help="the catalogue is of images")] = False,
) -> None:
    """Pack .obj files, or images, into a Zarr store."""
    from repose.store import images as image_stage
    from repose.store import meshes as stage

    if images:
        return image_stage.run(catalog, out)
    stage.run(catalog, out, _cluster(config))


@app.command()
def split(
    dataset: str,
    part: Annotated[str, typer.Argument(help="train, unseen or seen-pose")],
    config: ConfigFile,
    catalog: Annotated[Path, typer.Option(help="catalogue of the dataset")],
    out: Out,
) -> None:
    """Draw triples (identity mesh, pose mesh, truth), or pairs (source image, target image)."""
    from repose.split import images as image_stage
    from repose.split import meshes as stage

    chosen = _dataset(config, dataset)
    run = image_stage.run if chosen.medium == "images" else stage.run
    run(chosen, part, catalog, out)


@app.command()
def neighbours(
    method: str,
    config: ConfigFile,
    store: StorePath,
    split: Annotated[Path, typer.Option(help="training and validation triples (parquet)")],
    out: Out,
) -> None:
    """Find the neighbours of the faces of all bodies that a training of NPR encodes."""
    from repose.neighbours.stage import run

    checked = _config(config)
    settings = _named(checked.methods, method, "method")
    run(settings, store, split, out, checked.compute.threads)


@app.command()
def train(
    method: str,
    config: ConfigFile,
    store: StorePath,
    split: Annotated[Path, typer.Option(help="training and validation triples (parquet)")],
    state: Annotated[Path, typer.Option(help="folder of checkpoints, for resuming")],
    out: Out,
    seed: Annotated[int, typer.Option(help="initial weights, order of triples, shuffles")] = 0,
    gih: Annotated[
        Path | None, typer.Option(help="distances of the meshes, for a method that reads them")
    ] = None,
    neighbours: Annotated[
        Path | None, typer.Option(help="neighbours of the faces, for a method that reads them")
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option(help="PART=WEIGHTS of another training that the method starts from")
    ] = None,
) -> None:
    """Train one method; run it again after a kill and it resumes."""
    from repose.train.stage import run

    checked = _config(config)
    settings = _named(checked.methods, method, "method")
    parts = {part: Path(path) for part, _, path in (text.partition("=") for text in given or [])}
    if parts.keys() != settings.starts_from.keys():
        wanted = " ".join(f"--given {part}=WEIGHTS" for part in settings.starts_from)
        raise ReposeError(f"{method} starts from {wanted or 'no other training'}")
    stores = {name: path for name, path in (("gih", gih), ("neighbours", neighbours)) if path}
    run(settings, checked.compute, store, split, seed, state, out, stores | parts)


@app.command()
def predict(
    dataset: str,
    method: str,
    config: ConfigFile,
    store: StorePath,
    splits: Splits,
    out: Out,
    model: Annotated[Path | None, typer.Option(help="weights of a learned method (safetensors)")] = None,
) -> None:
    """Predict every test triple, or pair of images."""
    from repose.predict.stage import run

    checked = _config(config)
    method_settings = _named(checked.methods, method, "method")
    run(method_settings, checked.compute, store, _tests(checked, dataset, method, splits), model, out)


@app.command()
def score(
    dataset: str,
    method: str,
    config: ConfigFile,
    predictions: Annotated[Path, typer.Option(help="what was predicted (Zarr)")],
    store: StorePath,
    splits: Splits,
    out: Out,
    scorer: Annotated[Path | None, typer.Option(help="weights of the scorer of images (safetensors)")] = None,
) -> None:
    """Score predictions against the truth: a row per test triple, or body, and metric."""
    from repose.score.stage import run

    checked = _config(config)
    medium = _named(checked.methods, method, "method").medium
    official = getattr(checked.datasets[dataset], "official", None)
    run(predictions, store, _tests(checked, dataset, method, splits), out, medium, scorer, official)


@app.command()
def judge(
    dataset: str,
    method: str,
    config: ConfigFile,
    predictions: Annotated[Path, typer.Option(help="what was predicted (Zarr)")],
    store: StorePath,
    splits: Splits,
    scorer: Annotated[Path, typer.Option(help="weights of the scorer of bodies (safetensors)")],
    out: Out,
) -> None:
    """Judge pictures of predicted meshes: a row per body and metric."""
    from repose.score.render_stage import run

    checked = _config(config)
    medium = _named(checked.methods, method, "method").medium
    _named(checked.datasets, dataset, "dataset")
    run(predictions, store, _lists(splits, checked.judged_on(dataset, method)), scorer, out, medium)


@app.command()
def tables(table: str, config: ConfigFile, results: Results, out: Out) -> None:
    """Compare the methods of a table on its datasets."""
    from repose.results import run_files
    from repose.tables.stage import run

    checked = _config(config)
    _named(checked.tables, table, "table")
    run(list(run_files(checked, table, results)), out, checked.medium_of(table))


@app.command()
def report(table: str, config: ConfigFile, results: Results, out: Out) -> None:
    """Draw transfers of every method of a table beside the truth."""
    from repose.report.stage import run

    checked = _config(config)
    _named(checked.tables, table, "table")
    run(checked, table, results, out)


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
    results: Results = Path("results"),
    method: Annotated[str | None, typer.Option(help="write what it drew of the test pairs")] = None,
    seed: Annotated[int, typer.Option(help="of the method")] = 0,
) -> None:
    """Write a dataset of images and its pairs in the layout of Intrinsic Flow's archives, .corr files included.

    With --method: the images that it drew of the test pairs, named as the released evaluation reads them.
    """
    from repose.store.image_store import ImageStore
    from repose.use.export_images import export_archive, export_drawn

    if method:
        export_drawn(results / "predictions" / dataset / method / f"seed{seed}.zarr", out)
        return
    splits = sorted((results / "splits" / dataset).glob("*.parquet"))
    if not splits:
        raise ReposeError("no pairs", results / "splits" / dataset, "make the splits first")
    export_archive(ImageStore(results / "data" / dataset / "images.zarr"), splits, out)


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
    results: Results = Path("results"),
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
    from repose.config.reference import reference, schema
    from repose.provenance.publish import write_text
    from repose.raw.page import page

    if check:
        _config(check)
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


def _config(path: Path):
    from repose.config.load import load_files

    return load_files(path)


def _cluster(config: Path | None):
    """Where work on mesh files runs."""
    from repose.cluster import Cluster
    from repose.config.models import Convert

    settings = _config(config).convert if config else Convert()
    return Cluster(settings.workers, settings.scheduler)


def _dataset(config: Path, name: str):
    return _named(_config(config).datasets, name, "dataset")


def _tests(config, dataset: str, method: str, splits: Path) -> dict[str, Path]:
    _named(config.datasets, dataset, "dataset")
    return _lists(splits, config.tests_of(dataset, method))


def _lists(splits: Path, parts: list[str]) -> dict[str, Path]:
    return {part: splits / f"{part}.parquet" for part in parts}


def _named(known, name: str, kind: str):
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
