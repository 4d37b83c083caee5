"""Stage `raw` of a generated dataset: a seed → the recipe of its bodies, or of people in clothes."""

from dataclasses import fields
from importlib import import_module
from pathlib import Path

from repose import specs
from repose.config.datasets import OpenAnimal, OpenHuman
from repose.config.images import Rendered
from repose.errors import ReposeError
from repose.progress import Meter
from repose.provenance.making import making


def run(dataset: OpenHuman | OpenAnimal | Rendered, out: Path, bodies: Path | None = None) -> None:
    """Write the recipe `out` (npz).

    Args:
        dataset: its section of the config.
        out: what to write.
        bodies: the recipe of the people that rendered images show.
    """
    if isinstance(dataset, Rendered):
        draw(dataset, bodies, out)
    else:
        generate(dataset, out)


def draw(dataset: Rendered, bodies: Path | None, out: Path) -> None:
    """Draw people, clothes and cameras, and write the recipe `out` (npz)."""
    from repose.synthetic.open_human.recipe import Recipe
    from repose.synthetic.rendered.draw import Settings

    if bodies is None:
        raise ReposeError(f"{dataset.source} shows bodies of another dataset", hint="name it with `bodies:`")
    with making(specs.raw(dataset), out, {"bodies": bodies}, keep=0) as new:
        counts = dataset.model_dump(include={f.name for f in fields(Settings)})
        parts = {key: tuple(counts[key].values()) for key in ("identities", "poses")}
        recipe = import_module(dataset.module).draw(Recipe.read(bodies), Settings(**counts | parts))
        new.begin()
        recipe.write(out)
        new.has(out)
        new.describe = {"images": len(recipe.shots), "outfits": len(recipe.outfits)}


def generate(dataset: OpenHuman | OpenAnimal, out: Path) -> None:
    """Draw identities and poses, and write the recipe `out` (npz)."""
    source, total = import_module(dataset.module), dataset.poses.total
    wanted = {"vertices": dataset.vertices, "identities": dataset.identities.total, "poses": total}
    with making(specs.raw(dataset), out, {}, keep=0) as new:
        with Meter(f"raw {dataset.source}: poses", total) as meter:
            recipe = source.generate(
                source.Settings(**wanted, seed=dataset.seed), lambda done, total: meter.to(done)
            )
        new.begin()
        recipe.write(out)
        new.has(out)
        new.describe = {**wanted, "poses_rejected": recipe.rejected}
