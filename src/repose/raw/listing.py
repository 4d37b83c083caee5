"""The command `repose raw --list`: every dataset, and whether its files are present."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap

from rich.console import Console

from repose.raw import archive
from repose.raw.entry import RAW
from repose.raw.inventory import archives_in, files_in
from repose.raw.registry import installed
from repose.raw.settings import Dataset

COLOURS = {"open": "green", "present": "green", "incomplete": "yellow", "missing": "red"}


@dataclass(frozen=True)
class State:
    """Whether a dataset is available: `open` (made from a seed), `present`, `incomplete` or `missing`."""

    state: str
    detail: str


def state_of(dataset: type[Dataset], folder: Path) -> State:
    """Look for a dataset's files in `folder`, also inside zips, but not inside tars."""
    entry = dataset.entry
    if not dataset.is_licensed:
        return State("open", "nothing to supply")
    files = [name for name in files_in(folder) if entry.match(name)]
    closed = []
    if not files:
        for path in archives_in(folder):
            names = archive.names(path)
            closed += [path.name] if names is None else []
            files += [name for name in names or [] if entry.match(name)]
    if closed:
        return State("present", f"{', '.join(closed)}, not looked into")
    if not files:
        return State("missing", f"get {entry.get} from {entry.home} for {folder}/")
    wanted = entry.expected or len(files)
    return State("present" if len(files) >= wanted else "incomplete", f"{len(files)} of {wanted} files")


def show(raw: Path = RAW, as_json: bool = False) -> None:
    """Print every dataset with its state."""
    datasets = installed()
    states = {name: state_of(dataset, raw / name) for name, dataset in datasets.items()}
    if as_json:
        facts = [_plain(name, datasets[name]) | asdict(state) for name, state in states.items()]
        print(json.dumps(facts, indent=1))
        return
    console = Console()
    for name, state in states.items():
        entry = datasets[name].entry
        console.print(f"[bold]{name}[/]  [{COLOURS[state.state]}]{state.state}[/]", highlight=False)
        for text in (f"{entry.what}. {entry.licence[:1].upper()}{entry.licence[1:]}.", state.detail):
            # Words are never broken, so that addresses can be copied from a narrow terminal or a pipe.
            lines = wrap(text, console.width - 4, break_long_words=False, break_on_hyphens=False)
            for line in lines:
                console.print(f"    {line}", soft_wrap=True, markup=False, highlight=False)


def _plain(name: str, dataset: type[Dataset]) -> dict[str, object]:
    facts, files = asdict(dataset.entry), dataset.entry.files
    return {"name": name, "medium": dataset.medium} | facts | {"files": files and files.pattern}
