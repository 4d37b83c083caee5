"""Stage `raw` of a generated dataset: from a seed to the recipe of its bodies, or of people in clothes."""

import sys
from pathlib import Path

from repose import specs
from repose.provenance.making import making
from repose.raw.settings import Generated


def run(dataset: Generated, out: Path, bodies: Path | None = None) -> None:
    """Write the recipe `out` (npz).

    Args:
        dataset: its section of the config.
        out: the file to write.
        bodies: the recipe of the people that rendered images show.

    Raises:
        ReposeError: the settings cannot be met, such as too many poses without self-intersections.
    """
    with making(specs.raw(dataset), out, {"bodies": bodies} if bodies else {}, keep=0) as new:
        # takes seconds to import
        print(f"raw {dataset.source}: loading the generator", file=sys.stderr, flush=True)
        recipe = dataset.generate(bodies)
        new.begin()
        recipe.write(out)
        new.has(out)
        new.describe = dataset.describe(recipe)
