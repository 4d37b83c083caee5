"""The benches that take options of their own: `repose bench gpu` and `repose bench hash`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def gpu(
    out: Annotated[
        Path, typer.Option(help="folder for proof.json, weights, learning curves and predictions")
    ],
    results: Annotated[
        Path, typer.Option(help="results of a run at smoke size, whose trainings are compared with the CPU's")
    ] = Path("results"),
    minutes: Annotated[
        float,
        typer.Option(
            min=0, help=("time limit for everything; 0: only prepare the bodies, which needs no GPU")
        ),
    ] = 10,
    device: Annotated[
        Literal["cuda", "cpu"], typer.Option(help=("cpu: only to test this command itself"))
    ] = "cuda",
    tiny: Annotated[bool, typer.Option("--tiny", help="use small sizes, to test this command")] = False,
) -> None:
    """Prove that every method agrees with the CPU, repeats and resumes, and how fast it is; then train at full size."""
    from repose.bench.gpu import run

    run(device, results, out, minutes, tiny)


@app.command("hash")
def hash_(
    size: Annotated[float, typer.Option(min=1e-6, help="gigabytes of each store that is created")] = 1.0,
    folder: Annotated[
        Path | None, typer.Option(help="an existing folder for the stores, which are removed afterwards")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Seal, read and gather stores, with sha256 of all of them and with lists of BLAKE3."""
    from repose.bench import show
    from repose.bench.hash import measure

    show(measure(size, folder), as_json)
