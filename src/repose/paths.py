"""Where the workflow puts things, for commands that read many runs at once. The rules in workflow/ agree."""

from collections.abc import Iterator
from pathlib import Path

from repose.config.models import Config
from repose.tables.stage import RunFiles


def run_files(config: Config, results: Path) -> Iterator[RunFiles]:
    """Every run of table 1, in the order of the table."""
    for dataset in config.table1.datasets:
        for method in config.table1.methods:
            learned = hasattr(config.methods[method], "training")
            for seed in config.table1.seeds if learned else config.table1.seeds[:1]:
                place = Path(dataset) / method / f"seed{seed}"
                yield RunFiles(
                    dataset,
                    method,
                    seed,
                    scores=results / "scores" / place.with_suffix(".parquet"),
                    predictions=results / "predictions" / place.with_suffix(".zarr"),
                    model=results / "runs" / place / "model.safetensors" if learned else None,
                )


def mesh_store(results: Path, dataset: str) -> Path:
    """The packed meshes of a dataset."""
    return results / "data" / dataset / "meshes.zarr"
