"""Pose transfer from Python: `repose.load("human").transfer("a.obj", "b.glb").save("c.obj")`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from repose.mesh.finish import Finish
from repose.use.transfer.body import Outcome
from repose.use.transfer.files import Said, Source, read_pair, write
from repose.use.transfer.models import eyes_of, open_model
from repose.use.transfer.run import transfer
from repose.weights.boxed import BoxedModel

if TYPE_CHECKING:
    from repose.weights.model import Model


@dataclass(frozen=True)
class Posed:
    """An identity mesh in another pose.

    Attributes:
        identity: its file, as it was read.
        outcome: what the transfer gave.
    """

    identity: Source
    outcome: Outcome

    @property
    def vertices(self) -> NDArray[np.float64]:
        """Positions (N, 3) of the vertices of the identity's file, in its order, axes and unit."""
        return self.identity.asset.spread(self.outcome.mesh.vertices)

    @property
    def edge_error(self) -> float:
        """By what share edges are longer or shorter than the identity's, in the mean."""
        return self.outcome.edge_error

    def save(self, path: str | Path) -> None:
        """Write the identity's file with these positions; another suffix writes what that format can hold.

        Raises:
            MeshError: a format that nobody writes, or positions that it cannot hold.
        """
        write(self.identity, Path(path), self.outcome.mesh.vertices)


@dataclass(frozen=True)
class Poser:
    """A model that poses one mesh like another."""

    model: BoxedModel | Model

    def transfer(
        self,
        identity: str | Path,
        pose: str | Path,
        finish: Finish = "icp",
        says: tuple[Said, Said] = (Said(), Said()),
    ) -> Posed:
        """Give the body of one file the pose of another; the two need have nothing else in common.

        Args:
            identity, pose: .obj, .ply, .off, .glb or .stl files.
            finish: what the result goes through.
            says: what is known about up axis and unit of the two.

        Raises:
            ReposeError: a file cannot be read, or the model cannot take the pair.
        """
        eyes = eyes_of(self.model)
        first, second = read_pair(Path(identity), Path(pose), says, eyes)
        return Posed(first, transfer(first.body, second.body, self.model, finish=finish, eyes=eyes))


def load(model: str | Path) -> Poser:
    """Open a model.

    Args:
        model: "human" or "animal", whose weights come with the package, or the path of a trained or imported one.

    Raises:
        ReposeError: there is none.
    """
    return Poser(open_model(Path(model)))
