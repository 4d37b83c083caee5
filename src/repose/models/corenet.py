"""3D-CoreNet, 3D pose transfer with correspondence learning and mesh refinement (Song et al., NeurIPS 2021).

A correspondence part warps the pose mesh onto the identity's vertices by optimal transport, a generator
conditioned on the identity's features (ElaIN) refines the warp.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.models.interface import Transfer, check_pair
from repose.models.layers.elain import ElaINBlock
from repose.models.layers.linear import NormedLinear, folded
from repose.models.layers.modulation import with_ones
from repose.models.layers.spectral import SpectralLinear
from repose.models.layers.transport import transport_warp

_SLOPE = 0.2
_INIT_GAIN = 0.02
_UNIT_FLOOR = 2.2e-16  # added to the norm, as released
_REACH = 2.0  # metres: the output is _REACH * tanh(.), about the bounding-box centre


class FeatureBlock(nn.Module):
    """Residual block; one PReLU, of one slope, serves twice as released."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = NormedLinear(channels, channels)
        self.conv2 = NormedLinear(channels, channels)
        self.prelu = nn.PReLU()

    def forward(
        self,
        x: Tensor,  # (B, N, C)
    ) -> Tensor:
        """Return (B, N, C)."""
        return self.prelu(self.conv2(self.prelu(self.conv1(x))) + x)


class Correspondence(nn.Module):
    """Features of both meshes by shared weights, matched by optimal transport.

    Args:
        width: channels of the features; the paper has 256.
        residual_blocks: number of residual blocks; the paper has 4.
    """

    def __init__(self, width: int = 256, residual_blocks: int = 4):
        super().__init__()
        channels = ((3, width // 4), (width // 4, width // 2), (width // 2, width))
        self.adaptive_feature = nn.ModuleList(NormedLinear(i, o) for i, o in channels)
        self.layer = nn.ModuleList(FeatureBlock(width) for _ in range(residual_blocks))
        self.theta = nn.Linear(width, width)
        self.phi = nn.Linear(width, width)

    def encode(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """Return per-vertex features (B, N, width)."""
        x = vertices
        for i, layer in enumerate(self.adaptive_feature):
            x = layer(x if i == 0 else F.leaky_relu(x, _SLOPE))
        x = _unit(x)
        for block in self.layer:
            x = block(x)
        return x

    def warp(
        self,
        f_identity: Tensor,  # (B, N_id, width)
        f_pose: Tensor,  # (B, N_po, width)
        pose: Tensor,  # (B, N_po, 3), metres
    ) -> Tensor:
        """Return the coarse mesh (B, N_id, 3): pose vertices carried to the identity's order."""
        return transport_warp(_unit(self.theta(f_identity)), _unit(self.phi(f_pose)), pose)


class Refinement(nn.Module):
    """Generator of the final vertices from the warp, conditioned on the identity's features.

    Args:
        width: channels of the first block; the paper has 1024 (16 × ngf 64).
        cond_channels: channels of the condition.
        faithful: first layer with kernel 3 along the vertex index, as released.
    """

    def __init__(self, width: int = 1024, cond_channels: int = 256, faithful: bool = False):
        super().__init__()
        self.faithful = faithful
        widths = (width, width // 2, width // 4)
        self.fc = nn.Linear(9 if faithful else 3, width)
        self.conv1 = nn.Linear(width, width)
        self.blocks = nn.ModuleList(ElaINBlock(c, cond_channels) for c in widths)
        self.following = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, (*widths[1:], 3), strict=True))

    def forward(
        self,
        warp: Tensor,  # (B, N, 3), metres
        condition: Tensor,  # (B, N, cond_channels)
    ) -> Tensor:
        """Return vertices (B, N, 3), metres."""
        if self.faithful:
            padded = F.pad(warp, (0, 0, 1, 1))
            warp = torch.cat([padded[:, :-2], warp, padded[:, 2:]], dim=-1)
        first = folded(self.conv1.weight, self.conv1.bias, self.fc.weight, self.fc.bias)
        x = F.linear(warp, first[:, :-1], first[:, -1])
        cond, cond_mean = with_ones(condition), condition.mean(dim=1, keepdim=True)
        for block, following in zip(self.blocks, self.following, strict=True):
            x = block(x, cond, cond_mean, following)
        return _REACH * torch.tanh(x)


class CoreNet(nn.Module):
    """3D-CoreNet: 24,461,447 parameters at the default widths with `faithful`, as released.

    Args:
        width: channels of the correspondence features; the paper has 256.
        residual_blocks: residual blocks of the feature extractor; the paper has 4.
        refine_width: channels of the first refinement block; the paper has 1024.
        faithful: the released first refinement layer mixes vertices that are neighbours in the (shuffled)
            index, so that the result depends on the order of the vertices. Without it the layer sees one
            vertex and the result does not.
    """

    def __init__(
        self, width: int = 256, residual_blocks: int = 4, refine_width: int = 1024, faithful: bool = False
    ):
        super().__init__()
        self.correspondence = Correspondence(width, residual_blocks)
        self.refinement = Refinement(refine_width, width, faithful)
        self.apply(_initialise)

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3), metres, centred by its bounding box
        pose: Tensor,  # (B, N_po, 3), metres, centred by its bounding box
    ) -> Transfer:
        """Pose the identity meshes like the pose meshes; the vertex counts may differ.

        Raises:
            ReposeError: wrong shapes.
        """
        check_pair(identity, pose)
        f_identity, f_pose = self._features(identity, pose)
        warp = self.correspondence.warp(f_identity, f_pose, pose)
        return Transfer(self.refinement(warp, f_identity), warp)

    def _features(self, identity: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        encode = self.correspondence.encode
        if identity.shape != pose.shape:
            return encode(identity), encode(pose)
        # Statistics are of each mesh, so both can go through in one batch: half the calls, same values.
        f_identity, f_pose = encode(torch.cat([identity, pose])).chunk(2)
        return f_identity, f_pose


def _unit(
    x: Tensor,  # (..., C)
) -> Tensor:
    return x / (torch.linalg.vector_norm(x, dim=-1, keepdim=True) + _UNIT_FLOOR)


def _initialise(module: nn.Module) -> None:
    """Xavier normal with gain 0.02, biases 0; torch's own weights where the spectral norm divides the size away.

    That is what the released code starts from on a GPU, where its initialisation misses the normalised weights. It
    matters: the size of such a weight has no effect on the output, but an Adam step of a fixed length would turn a
    tiny one about completely, and the generator then learns slower than the warp that it refines.
    """
    if isinstance(module, nn.Linear):
        if not isinstance(module, SpectralLinear):
            nn.init.xavier_normal_(module.weight, gain=_INIT_GAIN)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


NETWORK = CoreNet
