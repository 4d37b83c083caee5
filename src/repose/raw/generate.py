"""Stage `raw` of a generated dataset: a seed → the recipe of its bodies, or of people in clothes."""

import sys
from pathlib import Path

from repose import specs
from repose.provenance.making import making
from repose.raw.settings import Generated


def run(dataset: Generated, out: Path, bodies: Path | None = None) -> None:
    """Write the recipe `out` (npz).

    Args:
        dataset: its section of the config.
        out: what to write.
        bodies: the recipe of the people that rendered images show.

    Raises:
        ReposeError: what is asked for cannot be drawn, such as too many poses free of self-intersection.
    """
    with making(specs.raw(dataset), out, {"bodies": bodies} if bodies else {}, keep=0) as new:
        # Which takes seconds.
        print(f"raw {dataset.source}: loading the generator", file=sys.stderr, flush=True)
        recipe = dataset.generate(bodies)
        new.begin()
        recipe.write(out)
        new.has(out)
        new.describe = dataset.describe(recipe)
