"""NPT, neural pose transfer by spatially adaptive instance normalisation (Wang et al., CVPR 2020).

The pose mesh is encoded and its features are joined to the identity's vertices. A decoder then moves the vertices; each
of its normalisations is modulated by the identity's coordinates (SPAdaIN, eq. 3 of the paper).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.errors import ReposeError
from repose.methods.interface import Transfer, TransferNetwork, check_equal_counts, check_pair
from repose.methods.layers.linear import NormedLinear, folded, sum_of_linear
from repose.methods.layers.modulation import modulate, with_ones
from repose.methods.layers.padding import padded, padded_map
from repose.methods.layers.statistics import EPSILON, centre

_PAPER_WIDTH = 1024
_INIT_STD = 0.02  # at the paper's width; narrower networks start larger, so that signals keep their magnitude
REACH = 2.0  # metres: the output is REACH * tanh(.), about the bounding-box centre


def initialise(network: nn.Module, width: int) -> None:
    """Draw the weights of all linear maps of a network of this width."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, _INIT_STD * (_PAPER_WIDTH / width) ** 0.5)


class SPAdaIN(nn.Module):
    """Scale and shift of normalised features, both linear in the vertex's identity coordinates."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = nn.Linear(3, channels)
        self.beta = nn.Linear(3, channels)

    def forward(
        self,
        centred: Tensor,  # (B, N, C), mean 0 over N unless the norm is left out
        std: Tensor,  # (B, 1, C) or broadcastable
        cond: Tensor,  # (B, N, 4), identity coordinates and 1
    ) -> Tensor:
        """Return `relu(centred / std ∘ γ + β)`, (B, N, C); on a GPU all channels are padded."""
        gamma, beta = (
            padded(torch.cat([part.weight.T, part.bias[None]]), 0, 1) for part in (self.gamma, self.beta)
        )
        scale, shift = (x.expand(len(centred), -1, -1) for x in (gamma / std, beta))
        return modulate(centred, cond, scale, shift, 0.0)


class SPAdaINBlock(nn.Module):
    """Residual block of three SPAdaIN and three linear maps, joined with the map that follows it.

    That map has no nonlinearity before it, so it is folded into the block's two outputs: the same
    function with about 40 % fewer operations.
    """

    def __init__(self, channels: int, normalise: bool):
        super().__init__()
        self.normalise = normalise
        self.norm_0, self.norm_1, self.norm_s = (SPAdaIN(channels) for _ in range(3))
        self.conv_0, self.conv_1, self.conv_s = (nn.Linear(channels, channels) for _ in range(3))

    def forward(
        self,
        x: Tensor,  # (B, N, C)
        cond: Tensor,  # (B, N, 4)
        following: nn.Linear,  # C -> C_out
    ) -> Tensor:
        """Return `following(block(x))`, (B, N, C_out); on a GPU padded, as `x` may be."""
        first, (w_1, b_1), (w_s, b_s), (w_out, b_out) = map(
            padded_map, (self.conv_0, self.conv_1, self.conv_s, following)
        )
        centred, std = self._normalised(padded(x, 2))
        skip = self.norm_s(centred, std, cond)
        inner, inner_std = self._normalised(F.linear(self.norm_0(centred, std, cond), *first))
        main = self.norm_1(inner, inner_std, cond)
        w_main, bias = folded(w_out, b_out, w_1, b_1 + b_s)
        return sum_of_linear(main, skip, w_main, w_out @ w_s, bias)

    def _normalised(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not self.normalise:
            return x, x.new_ones(1, 1, 1)
        centred, _, squares = centre(x)
        return centred, (squares / x.shape[1] + EPSILON).sqrt()


class Npt(nn.Module, TransferNetwork):
    """Neural pose transfer, in both released variants (6,054,941 parameters each at width 1024).

    Args:
        width: channels of the pose feature; the decoder's widths follow from it. The paper has 1024.
        pooling: "max" pools the pose feature over the vertices, so that the vertex counts may differ; "none" (the
            paper's original) joins feature i to identity vertex i and needs equal counts.
        unit_area: whether meshes are scaled to a surface area of 1 m²; see `TransferNetwork`.
    """

    def __init__(self, width: int = 1024, pooling: Literal["max", "none"] = "max", unit_area: bool = False):
        super().__init__()
        self.unit_area = unit_area
        if pooling not in ("max", "none"):
            raise ReposeError(f"pooling {pooling!r} is not known", hint="max or none")
        self.width, self.pooling = width, pooling
        self.encoder = nn.ModuleList(NormedLinear(i, o) for i, o in ((3, 64), (64, 128)))
        self.pose_feature = NormedLinear(128, width)
        joined = width + 3
        widths = (joined, joined // 2, joined // 4)
        self.join = nn.Linear(joined, joined)
        # A pooled feature is the same at every vertex: instance norm would erase it.
        self.blocks = nn.ModuleList(
            SPAdaINBlock(c, normalise=i > 0 or pooling == "none") for i, c in enumerate(widths)
        )
        self.following = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, (*widths[1:], 3), strict=True))
        initialise(self, width)

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3), metres, centred by its bounding box
        pose: Tensor,  # (B, N_po, 3), metres, centred by its bounding box
    ) -> Transfer:
        """Pose the identity meshes like the pose meshes.

        Raises:
            ReposeError: wrong shapes, or unequal vertex counts without pooling.
        """
        check_pair(identity, pose)
        if self.pooling == "none":
            hint = "use pooling: max, or give both meshes the same number of vertices"
            check_equal_counts(identity, pose, "NPT without pooling", hint)
        cond = with_ones(identity)
        x = self._join(cond, self._encode(pose))
        for block, following in zip(self.blocks, self.following, strict=True):
            x = block(x, cond, following)
        return Transfer(REACH * torch.tanh(x[..., :3]))

    def _encode(self, pose: Tensor) -> Tensor:
        """Return the pose feature: (B, N, width), or (B, width) if pooled."""
        x = pose
        for layer in self.encoder:
            x = F.relu(layer(x))
        if self.pooling == "none":
            return F.relu(self.pose_feature(x))
        # Norm and ReLU are increasing, so the largest raw value stays the largest: only it is normalised.
        centred, _, squares = centre(F.linear(x, self.pose_feature.weight))
        return F.relu(centred.amax(dim=1) * (squares[:, 0] / pose.shape[1] + EPSILON).rsqrt())

    def _join(self, cond: Tensor, feature: Tensor) -> Tensor:
        """Return the first linear map of [feature ; identity], (B, N, width + 3), without concatenating the two."""
        w_feature, w_identity = self.join.weight.split([self.width, 3], dim=1)
        from_feature = F.linear(feature, padded(w_feature, 0))
        if self.pooling == "max":
            from_feature = from_feature[:, None]
        w_identity = torch.cat([w_identity, self.join.bias[:, None]], dim=1)
        return from_feature + F.linear(cond, padded(w_identity, 0, 1))
