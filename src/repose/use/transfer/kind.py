"""Which of the weights that come with the package two meshes call for, and what those see of a mesh."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

from repose.mesh.frame import Look
from repose.mesh.mesh import Mesh
from repose.mesh.operators import vertex_areas
from repose.methods.canonical.network import CanonicalNetwork
from repose.use.transfer.files import Looks
from repose.weights.model import Model, open_model
from repose.weights.shipped import KINDS, shipped


@dataclass(frozen=True)
class Kind:
    """A kind of body, and how it was found.

    Attributes:
        name: of the weights.
        model: with these weights.
        doubts: how far off the weights of each kind expect to place a vertex, of a body of area 1; the mean over both
            meshes. Empty if the kind was said.
    """

    name: str
    model: Model
    doubts: Mapping[str, float]

    def __str__(self) -> str:
        if not self.doubts:
            return self.name
        others = ", ".join(f"{name} {doubt:.3f}" for name, doubt in self.doubts.items())
        return f"{self.name}, the kind with the least doubt ({others})"


def find_kind(meshes: tuple[Mesh, Mesh]) -> Kind:
    """The kind whose weights are least in doubt where the vertices of two meshes are on a body.

    Raises:
        MeshError: a mesh has no area.
    """
    models = {name: open_model(shipped(name)) for name in KINDS}
    doubts = {
        name: float(np.mean([_doubt(model.network, mesh) for mesh in meshes]))
        for name, model in models.items()
    }
    best = min(doubts, key=lambda name: doubts[name])
    return Kind(best, models[best], doubts)


def looks_of(network: nn.Module) -> Looks:
    """How a network is asked for what is up for a body; None for one that takes bodies as they stand."""
    if not isinstance(network, CanonicalNetwork) or network.frame is None:
        return None

    def look_at(mesh: Mesh) -> Look:
        return lambda: network.ways(mesh.vertices, mesh.faces).ways[0].frame[1]

    return look_at


def _doubt(network: nn.Module, mesh: Mesh) -> float:
    assert isinstance(network, CanonicalNetwork)
    seen = network.ways(mesh.vertices, mesh.faces)
    return float(np.average(seen.ways[0].doubt, weights=vertex_areas(seen.coarse, seen.coarse_faces)))
