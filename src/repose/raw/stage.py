"""Stage `raw`: a seed → the recipe of an open dataset's bodies; for a licensed dataset see `repose.raw.collect`."""

from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import ModuleType

from repose.config.datasets import Dataset, Generated, OpenAnimal, OpenHuman
from repose.config.images import Images, Rendered
from repose.errors import ReposeError
from repose.progress import Meter
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.raw import collect


def source_of(dataset: Dataset | Images | Rendered) -> ModuleType:
    """The module that makes a dataset's bodies, or draws its images."""
    return import_module(dataset.module)


def run(dataset: Dataset | Images, out: Path, bodies: Path | None = None) -> None:
    """Write `out`: the recipe of a generated dataset (npz), or the inventory of a licensed one (JSON).

    Args:
        dataset: its section of the config.
        out: what to write.
        bodies: the recipe of the people that rendered images show.
    """
    if isinstance(dataset, Rendered):
        draw(dataset, bodies, out)
    elif isinstance(dataset, Generated):
        generate(dataset, out)
    else:
        collect.run(dataset, out)


def draw(dataset: Rendered, bodies: Path | None, out: Path) -> None:
    """Draw people, clothes and cameras, and write the recipe `out` (npz)."""
    from repose.synthetic.open_human.recipe import Recipe
    from repose.synthetic.rendered.draw import Settings

    if bodies is None:
        raise ReposeError(
            f"{dataset.source} shows bodies of another dataset", hint="name its recipe with --bodies"
        )
    recorder = Recorder("raw", stage_code("raw", dataset.module), dataset.raw_settings(), dataset.seed)
    recorder.uses("bodies", manifest_path(bodies))
    recorder.own(manifest_path(out))
    counts = dataset.model_dump(include={f.name for f in fields(Settings)})
    parts = {key: tuple(counts[key].values()) for key in ("identities", "poses")}
    recipe = source_of(dataset).draw(Recipe.read(bodies), Settings(**counts | parts))
    manifest_path(out).unlink(missing_ok=True)
    recipe.write(out)
    recorder.seal(manifest_path(out), [out], {"images": len(recipe.shots), "outfits": len(recipe.outfits)})


def generate(dataset: OpenHuman | OpenAnimal, out: Path) -> None:
    """Draw identities and poses, and write the recipe `out` (npz)."""
    source = source_of(dataset)
    wanted = {
        "vertices": dataset.vertices,
        "identities": dataset.identities.total,
        "poses": dataset.poses.total,
    }
    recorder = Recorder(
        "raw", stage_code("raw", dataset.module), {"source": dataset.source, **wanted}, dataset.seed
    )
    recorder.own(manifest_path(out))
    with Meter(f"raw {dataset.source}: poses", dataset.poses.total) as meter:
        recipe = source.generate(
            source.Settings(**wanted, seed=dataset.seed), lambda done, total: meter.to(done)
        )
    manifest_path(out).unlink(missing_ok=True)
    recipe.write(out)
    recorder.seal(manifest_path(out), [out], {**wanted, "poses_rejected": recipe.rejected})
