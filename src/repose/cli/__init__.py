"""The command line. Commands import what they need when they run, so that `repose --help` answers at once."""

import errno
import io
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from repose.cli import meshes, results, stages
from repose.cli.shared import CONFIG, AsJson, complain
from repose.errors import ReposeError

app = typer.Typer(
    help="Pose transfer for meshes and person images: data pipeline, trainings, tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


INTERRUPTED = 130  # the status of Ctrl-C, which typer makes of it
MEND, ELSEWHERE = "free space or mend the folder, then run again", "say another place"
WRITES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS), MEND),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG), ELSEWHERE),
}
"""Failures to write that a user can mend, and how."""


def _version(asked: bool) -> None:
    if asked:
        print(version("repose"))
        raise typer.Exit


@app.callback()
def common(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    """What all commands share."""


PANELS = {
    "Your own meshes": meshes.COMMANDS,
    "Results": results.COMMANDS,
    "Stages of the workflow, which calls them": stages.COMMANDS,
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(command.__name__.replace("_", "-"), rich_help_panel=panel)(command)


@app.command(
    rich_help_panel="Stages of the workflow, which calls them",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def gih(context: typer.Context) -> None:
    """Geodesics in heat: compute, query, info, import; part and gather for the workflow."""
    from repose.cli.gih import app as commands

    commands(context.args, prog_name="repose gih")


@app.command(
    rich_help_panel="Results",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def submit(context: typer.Context) -> None:
    """Enter the benchmark with predictions of your own: init, check, score."""
    from repose.cli.submit import app as commands

    commands(context.args, prog_name="repose submit")


@app.command(rich_help_panel="Project")
def config(
    write: Annotated[
        Path | None, typer.Option(help="folder to write config.schema.json, config.md and data.md to")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="config file to check; that of this folder if nothing is said")
    ] = None,
) -> None:
    """Check a config file, or write the generated pages of docs/."""
    from repose.config.load import load_files
    from repose.config.reference import reference, schema
    from repose.provenance.publish import write_text
    from repose.raw.page import page

    if check or not write:
        path = check or CONFIG
        found = load_files(path)
        counts = ((len(getattr(found, kind)), kind) for kind in ("datasets", "methods", "tables"))
        print(f"{path} is sound: {', '.join(f'{n} {kind if n != 1 else kind[:-1]}' for n, kind in counts)}")
    if write:
        write_text(write / "config.schema.json", schema())
        write_text(write / "config.md", reference())
        write_text(write / "data.md", page())


@app.command(
    rich_help_panel="Project",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def bench(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="convert, corenet, dag, gih, gpu, hash, iepgan, images, loader, npr, obj, poisson or store"
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Run the plain way and ours on the same work, alternately, and print medians and their ratio.

    `gpu`, a proof of everything on a GPU, and `hash` have options of their own: `repose bench gpu -h`.
    """
    if name in ("gpu", "hash"):
        from repose.cli.bench import app as commands

        commands([name, *context.args, *(["--json"] if as_json else [])], prog_name="repose bench")
    if context.args:
        raise ReposeError(f"{name} takes no {context.args[0]}", "repose bench")
    from repose.bench import run

    run(name, as_json)


def main() -> None:
    """Run the command line; an expected failure is one line on stderr and a status that is not 0."""
    for stream in (sys.stdout, sys.stderr):
        # An ASCII locale has no ✓, and the name of a file may be no UTF-8.
        if isinstance(stream, io.TextIOWrapper) and (
            stream.encoding.lower() != "utf-8" or stream.errors == "strict"
        ):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except ReposeError as error:
        _fail(str(error), 1)
    except (KeyboardInterrupt, SystemExit) as error:
        if isinstance(error, SystemExit) and error.code != INTERRUPTED:
            raise
        _fail("interrupted; nothing was left half written", INTERRUPTED)
    except OSError as error:
        if error.errno not in WRITES:
            raise
        where = error.filename2 or error.filename or "output"  # of a rename, where to
        _fail(f"{where}: {os.strerror(error.errno)} (hint: {WRITES[error.errno]})", 1)


def _fail(message: str, status: int) -> None:
    complain(message)
    sys.exit(status)
