"""Models that pose one mesh like another, opened: with PyTorch only where it is needed, as its start takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from repose.mesh.finish import Finish
from repose.mesh.mesh import Mesh
from repose.use.transfer.kind import Kind, kind_of
from repose.use.transfer.looks import Eyes
from repose.weights.boxed import BoxedModel, open_boxed
from repose.weights.shipped import FOLDER, KINDS, shipped

if TYPE_CHECKING:
    from repose.weights.model import Model


def open_model(path: Path) -> BoxedModel | Model:
    """Open a model; canonical coordinates, the package's and trained ones, as what works without PyTorch.

    Args:
        path: see `repose.weights.model.open_model`.

    Raises:
        ReposeError: as there.
    """
    if not path.exists() and str(path) in KINDS:
        path = shipped(str(path))
    if path.parent == FOLDER and path.is_file():
        return open_boxed(path)
    from repose.methods.canonical.network import CanonicalNetwork
    from repose.weights.model import open_model as open_network

    model = open_network(path)
    if not isinstance(model.network, CanonicalNetwork):
        return model
    tensors = {name: x.numpy() for name, x in model.network.state_dict().items()}
    return BoxedModel.of(tensors, model.weights, model.settings)


def is_auto(path: Path) -> bool:
    """Whether the meshes are to say which model it is."""
    return str(path) == "auto" and not path.exists()


def model_for(path: Path, identity: Mesh, other: Mesh) -> tuple[BoxedModel | Model, Kind | None]:
    """Open a model; of "auto", see `model_of_kind`.

    Raises:
        ReposeError: as there, or as `open_model`.
    """
    return model_of_kind(identity, other) if is_auto(path) else (open_model(path), None)


def model_of_kind(identity: Mesh, other: Mesh) -> tuple[BoxedModel, Kind]:
    """The package's model for what two meshes are, and what that is.

    Raises:
        ReposeError: it is not clear what they are.
    """
    kind = kind_of(identity, other)
    return open_boxed(shipped(kind.weights)), kind


def usual_finish(model: BoxedModel | Model) -> Finish:
    """The finish of a transfer for which none is named: `icp` with weights that come with the package, else `none`."""
    return "icp" if model.weights.parent == FOLDER else "none"


def eyes_of(model: BoxedModel | Model) -> Eyes | None:
    """What looks at meshes for a model; None of one that takes bodies as they stand."""
    return Eyes(model.inference) if isinstance(model, BoxedModel) else None
