"""Pose transfer for meshes and person images as one reproducible workflow."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from repose.use.transfer.poser import Poser


def load(model: "str | Path") -> "Poser":
    """Open a model that poses one mesh like another: weights for people and four-legged animals come along.

        repose.load("auto").transfer("a.obj", "b.glb").save("c.obj")

    Args:
        model: "human", "animal", or "auto" for the one of these that the meshes of a transfer are; or the path of a
            trained or imported model.

    Raises:
        ReposeError: there is none.
    """
    # By name: what every stage imports this package for must not have the code of a transfer in its hash.
    poser: Poser = import_module("repose.use.transfer.poser").load(model)
    return poser
