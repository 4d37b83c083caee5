"""Stage `raw`: a seed → the recipe of an open dataset's bodies; for a licensed dataset see `repose.raw.collect`."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from repose.config.datasets import Dataset, Generated, OpenAnimal, OpenHuman
from repose.progress import Meter
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.raw import collect


def source_of(dataset: Dataset) -> ModuleType:
    """The module that makes a dataset's bodies."""
    return import_module(f"repose.raw.{dataset.source.replace('-', '_')}")


def run(dataset: Dataset, out: Path) -> None:
    """Write `out`: the recipe of a generated dataset (npz), or the inventory of a licensed one (JSON)."""
    if isinstance(dataset, Generated):
        generate(dataset, out)
    else:
        collect.run(dataset, out)


def generate(dataset: OpenHuman | OpenAnimal, out: Path) -> None:
    """Draw identities and poses, and write the recipe `out` (npz)."""
    source = source_of(dataset)
    wanted = {
        "vertices": dataset.vertices,
        "identities": dataset.identities.total,
        "poses": dataset.poses.total,
    }
    recorder = Recorder(
        "raw", stage_code("raw", dataset.source), {"source": dataset.source, **wanted}, dataset.seed
    )
    with Meter(f"raw {dataset.source}: poses", dataset.poses.total) as meter:
        recipe = source.generate(
            source.Settings(**wanted, seed=dataset.seed), lambda done, total: meter.to(done)
        )
    manifest_path(out).unlink(missing_ok=True)
    recipe.write(out)
    recorder.seal(manifest_path(out), [out], {**wanted, "poses_rejected": recipe.rejected})
