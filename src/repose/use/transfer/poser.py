"""Pose transfer from Python: `repose.load("auto").transfer("a.obj", "b.glb").save("c.obj")`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.mesh.finish import Finish
from repose.mesh.formats.files import check_output
from repose.use.transfer.body import Outcome
from repose.use.transfer.files import Said, Source, pair_of, read_surface, write
from repose.use.transfer.kind import Kind
from repose.use.transfer.models import is_auto, matcher_of, model_of_kind, open_model, usual_finish
from repose.use.transfer.run import transfer
from repose.weights.numpy_model import NumpyModel

if TYPE_CHECKING:
    from repose.weights.model import Model


@dataclass(frozen=True)
class Posed:
    """An identity mesh in another pose.

    Attributes:
        identity: the identity's file, as it was read.
        outcome: the result of the transfer.
        kind: the detected kind of the meshes, if no model was given.
    """

    identity: Source
    outcome: Outcome
    kind: Kind | None = None

    @property
    def vertices(self) -> NDArray[np.float64]:
        """The positions (N, 3) of the vertices of the identity's file, in its order, axes and unit."""
        return self.identity.asset.spread(self.outcome.mesh.vertices)

    @property
    def edge_error(self) -> float:
        """The mean relative change of the edge lengths against the identity."""
        return self.outcome.edge_error

    def save(self, path: str | Path) -> None:
        """Write the identity's file with these positions; another suffix writes what that format can hold.

        Raises:
            MeshError: a format that nobody writes, positions that it cannot hold, or a path that is a folder's or the
                identity's.
        """
        check_output(Path(path), self.identity.asset.path)
        write(self.identity, Path(path), self.outcome.mesh.vertices)


@dataclass(frozen=True)
class Poser:
    """A model that poses one mesh like another; None: the packaged model for the kind of the meshes."""

    model: NumpyModel | Model | None

    def transfer(
        self,
        identity: str | Path,
        pose: str | Path,
        finish: Finish | None = None,
        says: tuple[Said, Said] = (Said(), Said()),
    ) -> Posed:
        """Give the body of one file the pose of another; the files need not have anything else in common.

        Args:
            identity, pose: .obj, .ply, .off, .glb or .stl files.
            finish: what the result goes through; None: `icp` with weights that come with the package, else nothing.
            says: what is known about up axis and unit of the two.

        Raises:
            ReposeError: a file cannot be read or has no surface, there is no such finish, it is not clear of what kind
                the two are, or the model cannot take them.
        """
        assets = read_surface(Path(identity)), read_surface(Path(pose))
        model, kind = self.model, None
        if model is None:
            model, kind = model_of_kind(*(asset.mesh for asset in assets))
        matcher = matcher_of(model)
        first, second = pair_of(*assets, says, matcher)
        finish = finish or usual_finish(model)
        if finish not in get_args(Finish):
            raise ReposeError(f"no finish {finish!r}", hint=f"there are {', '.join(get_args(Finish))}")
        return Posed(first, transfer(first.body, second.body, model, finish=finish, matcher=matcher), kind)


def load(model: str | Path) -> Poser:
    """Open a model.

    Args:
        model: "human" or "animal", whose weights come with the package; "auto", which chooses between these by the
            meshes of a transfer; or the path of a trained or imported model.

    Raises:
        ReposeError: there is no such model.
    """
    return Poser(None if is_auto(Path(model)) else open_model(Path(model)))
