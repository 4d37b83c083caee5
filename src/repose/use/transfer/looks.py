"""What the weights that come with the package see of a mesh."""

from torch import nn

from repose.mesh.frame import Look
from repose.mesh.mesh import Mesh
from repose.methods.canonical.network import CanonicalNetwork
from repose.use.transfer.files import Looks


def looks_of(network: nn.Module) -> Looks:
    """How a network is asked for what is up for a body; None for one that takes bodies as they stand."""
    if not isinstance(network, CanonicalNetwork) or network.frame is None:
        return None

    def look_at(mesh: Mesh) -> Look:
        return lambda: network.ways(mesh.vertices, mesh.faces).ways[0].frame[1]

    return look_at
