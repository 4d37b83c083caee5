"""`repose bench gpu`, which takes options of its own."""

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
        float, typer.Option(min=0, help="for all of it; 0: only prepare the bodies, which needs no GPU")
    ] = 10,
    device: Annotated[Literal["cuda", "cpu"], typer.Option(help="cpu: try the proof itself")] = "cuda",
    tiny: Annotated[bool, typer.Option("--tiny", help="at sizes for such a try")] = False,
) -> None:
    """Prove that every method agrees with the CPU, repeats and resumes, and how fast it is; then train at full size."""
    from repose.bench.gpu import run

    run(device, results, out, minutes, tiny)
