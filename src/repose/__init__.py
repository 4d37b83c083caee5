"""Pose transfer for meshes and person images as one reproducible workflow."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from repose.use.transfer.poser import Poser


def load(model: "str | Path") -> "Poser":
    """Open a model that poses one mesh like another; weights for people and four-legged animals are included.

        repose.load("auto").transfer("a.obj", "b.glb").save("c.obj")

    Args:
        model: "human", "animal", or "auto", which chooses between these by the meshes of a transfer; or the path of a
            trained or imported model.

    Raises:
        ReposeError: there is no such model.
    """
    # Imported by name, because the code of a transfer must not be in the hash of every stage that imports this package.
    poser: Poser = import_module("repose.use.transfer.poser").load(model)
    return poser
