"""`repose bench hash`, which takes options of its own."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("hash")
def hash_(
    size: Annotated[float, typer.Option(min=1e-6, help="gigabytes of each store that is made")] = 1.0,
    folder: Annotated[
        Path | None, typer.Option(help="an existing folder to make them in; they are removed")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Seal, read and gather stores, with sha256 of all of them and with lists of BLAKE3."""
    from repose.bench import show
    from repose.bench.hash import measure

    show(measure(size, folder), as_json)
