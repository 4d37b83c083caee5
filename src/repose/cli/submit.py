"""`repose submit`: enter the benchmark with predictions of one's own; docs/benchmark.md."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repose.cli.shared import CONFIG, RESULTS, AsJson, ConfigFile, Results, check_part, plan_of
from repose.errors import ReposeError

if TYPE_CHECKING:
    from repose.benchmark.sources import Sources
    from repose.plan import Plan

app = typer.Typer(
    help="Enter the benchmark with predictions of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Folder = Annotated[
    Path,
    typer.Argument(
        help=("folder with card.yaml, predictions/ and SHA256SUMS; or with such folders seed0/, …")
    ),
]


@app.command()
def init(
    listed: Annotated[str, typer.Argument(metavar="LIST", help="such as open-human/unseen")],
    track: Annotated[str, typer.Option(help="what the method sees when it is tested: P, PC, R, RC, S or K")],
    out: Annotated[Path, typer.Option("--out", help="folder to create")],
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Hand out the inputs of a track, with a card to fill in."""
    from repose.benchmark.enter import init as hand_out

    dataset, part = _parts(listed)
    print(hand_out(_sources(plan_of(config, results, dataset), dataset, part), track, out))


@app.command()
def check(folder: Folder, config: ConfigFile = CONFIG, results: Results = RESULTS) -> None:
    """Report what is wrong with a folder of predictions; status 1 if it would be refused."""
    from repose.benchmark.enter import check as checking
    from repose.benchmark.enter import list_of

    dataset, part = list_of(folder)
    found, notes = checking(folder, _sources(plan_of(config, results, dataset), dataset, part))
    for note in notes:
        print(f"note: {note}")
    triples = sum(len(given.predictions) for given in found)
    print(f"{folder}: {triples} predictions of {dataset}/{part}, {len(found)} seed(s), may be scored")


@app.command()
def score(
    folder: Folder, config: ConfigFile = CONFIG, results: Results = RESULTS, as_json: AsJson = False
) -> None:
    """Score a folder of predictions against the local truths, and rank it within its track."""
    from repose.benchmark.enter import list_of
    from repose.benchmark.enter import score as scoring

    dataset, part = list_of(folder)
    plan = plan_of(config, results, dataset)
    ranking, notes, out = scoring(folder, _sources(plan, dataset, part), plan.results)
    if as_json:
        print(json.dumps({"rows": json.loads(ranking.to_json(orient="records")), "notes": notes}, indent=1))
    else:
        _show(notes, out)


@app.command()
def rank(
    listed: Annotated[str, typer.Argument(metavar="LIST", help="such as open-human/unseen")],
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Rank everything scored on a list: baselines, this repository's predictions, and earlier submissions."""
    from repose.benchmark.enter import rank_all

    dataset, part = _parts(listed)
    plan = plan_of(config, results, dataset)
    _, notes, out = rank_all(_sources(plan, dataset, part), plan.results)
    _show([*(f"{name} {why}" for name, why in plan.left_out(dataset, part).items()), *notes], out)


def _parts(listed: str) -> tuple[str, str]:
    """Return dataset and name of a list."""
    dataset, _, part = listed.partition("/")
    if not part:
        raise ReposeError(f"{listed!r} is no list", hint="name DATASET/LIST, such as open-human/unseen")
    return dataset, part


def _show(notes: list[str], out: Path) -> None:
    for note in notes:
        print(f"note: {note}")
    print(out.with_suffix(".md").read_text(encoding="utf-8"))
    print(f"{out}\nrepose audit {out}")


def _sources(plan: "Plan", dataset: str, part: str) -> "Sources":
    """Return the local files of a list; if one is missing, an error says how to get it."""
    from repose.benchmark.sources import Sources
    from repose.project import making
    from repose.provenance.manifest import manifest_path
    from repose.raw.licensed import Licensed

    check_part(part)
    listed, settings = plan.results.benchmark_list(dataset, part), plan.config.datasets[dataset]
    store, recipe = plan.packed(dataset), plan.parts_of(dataset)
    wanted = [path for path in (listed, store, recipe) if path]
    missing = [path for path in wanted if not manifest_path(path).exists()]
    if missing and isinstance(settings, Licensed) and not manifest_path(plan.raw(dataset).out).exists():
        raise settings.missing()
    if missing:
        raise ReposeError(
            f"{missing[0]} is not here", f"{dataset}/{part}",
            making(*map(manifest_path, wanted)),
        )  # fmt: skip
    return Sources(listed, store, recipe)
