"""Commands on results as a whole: progress, audits, publishing and cleaning."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from repose.cli.shared import CONFIG, RESULTS, AsJson, Results, plan_of
from repose.errors import ReposeError


def status(
    targets: Annotated[
        list[str] | None, typer.Argument(help="as for snakemake: results/table1.csv, site; all if left out")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", envvar="REPOSE_CONFIG", help=("config file; by default that of the last run")
        ),
    ] = None,
    results: Results = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Report how far a run has come: what is done, runs, failed and waits, how fast it is and how long it takes."""
    from repose.status import jobs, state, summary

    plan = plan_of(config or _last_config(results), results)
    wanted = jobs.jobs_of(plan, jobs.targets_of(plan, targets or []))
    states = state.states_of(wanted, results)
    found = summary.summarize(wanted, states)
    if as_json:
        return print(json.dumps(summary.as_json(wanted, states, found), indent=1))
    run = state.scheduler(results)
    print(f"a run goes on: {run}" if run else "no run goes on")
    print("\n".join(summary.lines(wanted, states, found)))


def _last_config(results: Path) -> Path:
    """Return the settings of the last run, presets included; if there was none, the config file of this folder."""
    from repose.results import Results as Places

    known = sorted(Places(results).configs.glob("*.yaml"), key=lambda path: path.stat().st_mtime)
    return known[-1] if known else CONFIG


def audit(
    artefact: Annotated[
        Path | None, typer.Argument(help="results/table1.csv, or any artefact with a manifest")
    ] = None,
    cell: Annotated[str | None, typer.Option(help="only rows like method=corenet,dataset=open-human")] = None,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="recompute the scores from predictions and meshes")
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(help=("the digest of the tree that was recorded when the table was published")),
    ] = None,
    rocrate: Annotated[
        Path | None, typer.Option(help="also write a Workflow Run RO-Crate to this new folder")
    ] = None,
    find: Annotated[
        str | None,
        typer.Option(
            help=(
                "list the numbers that depend on mesh:open-human/id3_17, or on an image, raw file, "
                "dataset, method, code or artefact; without ARTEFACT, in all tables"
            )
        ),
    ] = None,
    as_json: AsJson = False,
    results: Results = RESULTS,
) -> None:
    """Check every byte, link and number behind a table; exit with status 1 if a check fails."""
    if find:
        from repose.audit import find as finding

        dependents = finding.find(find, [artefact] if artefact else finding.tables_of(results))
        return _print(dependents, finding.show, as_json)
    if artefact is None:
        raise ReposeError("audit needs ARTEFACT", hint="such as results/table1.csv; or --find")
    from repose.audit import audit as auditing
    from repose.audit.show import as_json as plain
    from repose.audit.show import show

    found = auditing.audit(artefact, auditing.parse_cell(cell) if cell else None, rescore)
    if expect and not found.digest.startswith(expect):
        found.root.faults.append(f"the digest of the tree is {found.digest}, not {expect}")
    _print(found, show, as_json, plain)
    if rocrate and not found.faults:
        from repose.audit.crate import project_of, write_crate

        write_crate(found, project_of(Path.cwd()), rocrate)
    if found.faults:
        place, what = found.faults[0]
        raise ReposeError(f"{what}", where=place, hint="make it again by running the workflow, or restore it")


def _print(
    found: Any, show: Callable[[Any, Any], None], as_json: bool, plain: Callable[[Any], Any] = asdict
) -> None:
    """Print a result as JSON, or by `show` on a console."""
    if as_json:
        return print(json.dumps(plain(found), indent=1))
    from rich.console import Console

    show(found, Console() if sys.stdout.isatty() else Console(width=160))


def publish(
    table: Annotated[Path, typer.Argument(help="results/table1.csv, or another table or ranking")],
    out: Annotated[Path, typer.Option("--out", "-o", help=".zip to write")],
    author: Annotated[
        list[str] | None,
        typer.Option(
            help="who publishes it, 'Family, Given'; repeat for each author. Default: those of CITATION.cff"
        ),
    ] = None,
) -> None:
    """Write one archive of a table and everything behind it that may be redistributed, ready for a DOI."""
    from repose.audit.audit import audit as check
    from repose.audit.crate import project_of
    from repose.bundle.write import write_bundle

    written, notes = write_bundle(check(table), project_of(Path.cwd()), out, author or ())
    for note in notes:
        print(f"not in it: {note}")
    print(f"{out}: {written.files} files, {written.bytes / 1e6:.1f} MB; digest {written.digest}")


def verify(
    bundle: Annotated[Path, typer.Argument(help="an archive written by `repose publish`")],
    expect: Annotated[str, typer.Option(help="the digest that was recorded when it was published")] = "",
) -> None:
    """Check every file of a published archive against its digest; status 1 if one differs, is missing or is extra."""
    from repose.bundle.verify import verify_bundle

    found = verify_bundle(bundle, expect)
    print(f"{bundle}: {found.files} files, {found.bytes / 1e6:.1f} MB, all as listed; digest {found.digest}")


def recover(results: Results = RESULTS) -> None:
    """After a kill -9: end this folder's leftover jobs, remove half-made files, unlock Snakemake."""
    from repose.provenance.recover import recover as work

    done = work(results)
    for command in done.ended:
        print(f"ended: {command}")
    print(f"removed: {len(done.removed)} half-made files of dead writers")
    for path in done.foreign:
        print(f"left: {path}, of another machine; remove it if nothing runs there")
    print("unlocked Snakemake" if done.unlocked else "Snakemake was not locked")
    print("go on with the command you ran before and --rerun-incomplete; finished results are brought back")


def clean(
    results: Results = RESULTS,
    checkpoints: Annotated[
        bool,
        typer.Option(
            "--checkpoints", help=("also remove checkpoints, so that unfinished trainings start anew")
        ),
    ] = False,
) -> None:
    """Remove cached results that are no longer in their place; nothing that a target needs is removed."""
    from repose.provenance.recover import clean as work

    print(f"{work(results, checkpoints) / 1e6:.1f} MB set free")


def compare(
    a: Annotated[Path, typer.Argument(help="a folder of results")],
    b: Annotated[Path, typer.Argument(help="another folder of results")],
    as_json: AsJson = False,
) -> None:
    """Show what differs between two folders of results, and how that changed each number."""
    from repose.audit import compare as comparing

    _print(comparing.compare(a, b), comparing.show, as_json)


COMMANDS = (status, audit, compare, publish, verify, recover, clean)
