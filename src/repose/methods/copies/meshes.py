"""What copying a mesh scores. Every learned method must beat copying the identity mesh."""

from torch import Tensor, nn

from repose.methods.interface import Transfer, TransferNetwork


class CopyMesh(nn.Module, TransferNetwork):
    """Returns one of its two inputs. Copying the posed mesh relies on the shared vertex order."""

    def __init__(self, mesh: str):
        super().__init__()
        self.mesh = mesh
        self.ordered = mesh == "pose"

    def forward(self, identity: Tensor, pose: Tensor) -> Transfer:  # (B, N, 3) metres each
        """The identity mesh, or the posed mesh, as it is."""
        return Transfer(vertices=identity if self.mesh == "identity" else pose)
