"""Where the workflow puts things, for commands that read many runs at once. The rules in workflow/ agree."""

from collections.abc import Iterator
from pathlib import Path

from repose.config.models import Config
from repose.methods.settings import NEW_BODY, OWN_BODY, Medium
from repose.tables.stage import RunFiles


def run_files(config: Config, table: str, results: Path) -> Iterator[RunFiles]:
    """Every run of a table, in its order."""
    rows = config.tables[table]
    for dataset in rows.datasets:
        protocols = (*config.protocols_of(dataset, table), OWN_BODY, NEW_BODY)
        for method in rows.methods:
            trained = config.trained_by(method)
            for seed in rows.seeds_of(method, trained is not None):
                place = Path(dataset) / method / f"seed{seed}"
                weights = (
                    trained and results / "runs" / dataset / trained / f"seed{seed}" / "model.safetensors"
                )
                yield RunFiles(
                    dataset,
                    method,
                    seed,
                    scores=results / "scores" / place.with_suffix(".parquet"),
                    predictions=results / "predictions" / place.with_suffix(".zarr"),
                    model=weights or None,
                    protocols=protocols,
                    judged=results / "judged" / place.with_suffix(".parquet")
                    if config.is_judged(table, dataset, method)
                    else None,
                )


def packed_store(results: Path, dataset: str, medium: Medium) -> Path:
    """The packed meshes or images of a dataset."""
    return results / "data" / dataset / ("images.zarr" if medium == "images" else "meshes.zarr")
