"""Open models that pose one mesh like another. PyTorch, which takes seconds to load, is used only where needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from repose.mesh.finish import Finish
from repose.mesh.mesh import Mesh
from repose.use.transfer.kind import Kind, kind_of
from repose.use.transfer.matching import Matcher
from repose.weights.numpy_model import NumpyModel, open_packaged
from repose.weights.shipped import FOLDER, KINDS, shipped

if TYPE_CHECKING:
    from repose.weights.model import Model


def open_model(path: Path) -> NumpyModel | Model:
    """Open a model; canonical coordinates, packaged or trained, are opened in the form that works without PyTorch.

    Args:
        path: see `repose.weights.model.open_model`.

    Raises:
        ReposeError: as `repose.weights.model.open_model`.
    """
    if not path.exists() and str(path) in KINDS:
        path = shipped(str(path))
    if path.parent == FOLDER and path.is_file():
        return open_packaged(path)
    from repose.methods.canonical.network import CanonicalNetwork
    from repose.weights.model import open_model as open_network

    model = open_network(path)
    if not isinstance(model.network, CanonicalNetwork):
        return model
    tensors = {name: x.numpy() for name, x in model.network.state_dict().items()}
    return NumpyModel.of(tensors, model.weights, model.settings)


def is_auto(path: Path) -> bool:
    """Return whether the meshes decide which model is used."""
    return str(path) == "auto" and not path.exists()


def model_for(path: Path, identity: Mesh, other: Mesh) -> tuple[NumpyModel | Model, Kind | None]:
    """Open a model; for "auto", see `model_of_kind`.

    Raises:
        ReposeError: as `model_of_kind` or `open_model`.
    """
    return model_of_kind(identity, other) if is_auto(path) else (open_model(path), None)


def model_of_kind(identity: Mesh, other: Mesh) -> tuple[NumpyModel, Kind]:
    """Return the packaged model for the kind of two meshes, and the kind.

    Raises:
        ReposeError: their kind is not clear.
    """
    kind = kind_of(identity, other)
    return open_packaged(shipped(kind.weights)), kind


def usual_finish(model: NumpyModel | Model) -> Finish:
    """The finish of a transfer for which none is named: `icp` with weights that come with the package, else `none`."""
    return "icp" if model.weights.parent == FOLDER else "none"


def matcher_of(model: NumpyModel | Model) -> Matcher | None:
    """Return the canonical coordinates of a model; None for a model that takes bodies as they stand."""
    return Matcher(model.inference) if isinstance(model, NumpyModel) else None
