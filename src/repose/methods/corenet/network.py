"""3D-CoreNet, 3D pose transfer with correspondence learning and mesh refinement (Song et al., NeurIPS 2021).

A correspondence part warps the pose mesh onto the identity's vertices by optimal transport, a generator
conditioned on the identity's features (ElaIN) refines the warp.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.interface import Transfer, TransferNetwork, check_pair
from repose.methods.layers.elain import ElaINBlock, FoldedBlock
from repose.methods.layers.linear import NormedLinear, folded
from repose.methods.layers.modulation import with_ones
from repose.methods.layers.padding import padded
from repose.methods.layers.residual import FeatureBlock
from repose.methods.layers.spectral import SpectralLinear
from repose.methods.layers.statistics import unit
from repose.methods.layers.transport import transport_warp

_SLOPE = 0.2
_INIT_GAIN = 0.02
_REACH = 2.0  # metres: the output is _REACH * tanh(.), about the bounding-box centre


class Correspondence(nn.Module):
    """Features of both meshes by shared weights, and the warp that follows from them (section 3.1 of the paper).

    The warp is computed by optimal transport. For another kind of attention, override `warp` in a subclass and set it
    as the `matcher` of a subclass of `CoreNet`.

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
        x = unit(x)
        for block in self.layer:
            x = block(x)
        return x

    def encode_each(
        self,
        *meshes: Tensor,  # (B, N, 3) each, metres
    ) -> tuple[Tensor, ...]:
        """Return the features of several meshes, (B, N, width) each."""
        if len({mesh.shape for mesh in meshes}) > 1:
            return tuple(self.encode(mesh) for mesh in meshes)
        # Statistics are per mesh, so all meshes can go through in one batch: fewer calls, same values.
        return self.encode(torch.cat(meshes)).chunk(len(meshes))

    def queries(
        self,
        features: Tensor,  # (B, N_id, width), of the identity
    ) -> Tensor:
        """Return the features that the identity's vertices are compared by, (B, N_id, width), of unit length."""
        return unit(self.theta(features))

    def keys(
        self,
        features: Tensor,  # (B, N_po, width), of the pose mesh
    ) -> Tensor:
        """Return the features that the pose mesh's vertices are compared by, (B, N_po, width), of unit length."""
        return unit(self.phi(features))

    def warp(
        self,
        queries: Tensor,  # (B, N_id, width), of unit length
        keys: Tensor,  # (B, N_po, width), of unit length
        points: Tensor,  # (B, N_po, 3), metres: the pose mesh
    ) -> Tensor:
        """Carry the pose mesh to the identity's vertices, (B, N_id, 3), metres (section 3.1 of the paper).

        With the cosine C of queries and keys, the plan T is the entropic optimal transport between uniform weights at
        cost 1 - C, with an entropy of weight 0.03, after five iterations of Sinkhorn's algorithm. A vertex of the warp
        is the mean of the points, weighted by its row of T. `repose.methods.layers.transport` says how that is computed
        without T.
        """
        return transport_warp(queries, keys, points)


class FoldedRefinement(NamedTuple):
    """The part of the generator that depends on its parameters alone: weight and bias of `first`, and its blocks."""

    first: tuple[Tensor, Tensor]
    blocks: list[FoldedBlock]


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

    def fold(self) -> FoldedRefinement:
        """Fold linear maps with no nonlinearity between; in training mode, this runs once in every forward pass."""
        first = folded(self.conv1.weight, self.conv1.bias, padded(self.fc.weight, 1), self.fc.bias)
        blocks: list[FoldedBlock] = []
        for block, following in zip(self.blocks, self.following, strict=True):
            assert isinstance(block, ElaINBlock) and isinstance(following, nn.Linear)
            blocks.append(block.fold(following))
        return FoldedRefinement(first, blocks)

    def forward(
        self,
        warp: Tensor,  # (B, N, 3), metres
        condition: Tensor,  # (B, N, cond_channels)
    ) -> Tensor:
        """Return vertices (B, N, 3), metres."""
        fold = self.fold()
        if self.faithful:
            ends = F.pad(warp, (0, 0, 1, 1))
            warp = torch.cat([ends[:, :-2], warp, ends[:, 2:]], dim=-1)
        x = F.linear(padded(warp, 2), *fold.first)
        cond, cond_mean = with_ones(condition), condition.mean(dim=1, keepdim=True)
        for block, following in zip(self.blocks, fold.blocks, strict=True):
            x = block(x, cond, cond_mean, following)
        return _REACH * torch.tanh(x)


class CoreNet(nn.Module, TransferNetwork):
    """3D-CoreNet: 24,461,447 parameters at the default widths with `faithful`, as released.

    Args:
        width: channels of the correspondence features; the paper has 256.
        residual_blocks: residual blocks of the feature extractor; the paper has 4.
        refine_width: channels of the first refinement block; the paper has 1024.
        faithful: the released first refinement layer mixes vertices that are neighbours in the (shuffled) index, so
            that the result depends on the order of the vertices, and a released generator starts from tiny weights.
            Without it the layer sees one vertex and the result does not depend on their order.
        unit_area: whether meshes are scaled to a surface area of 1 m²; see `TransferNetwork`.
        residual: whether the generator's output, which is zero at first, is added to the warp; as published, it is the
            result itself.
        cond_channels: how many of the features, the first ones, condition the generator; all if not given.
        correspondence: what finds the warp; if not given, a `matcher` of these settings.
    """

    matcher: ClassVar[type[Correspondence]] = Correspondence

    def __init__(
        self,
        width: int = 256,
        residual_blocks: int = 4,
        refine_width: int = 1024,
        faithful: bool = False,
        unit_area: bool = False,
        residual: bool = False,
        cond_channels: int | None = None,
        correspondence: Correspondence | None = None,
    ):
        super().__init__()
        self.unit_area, self.residual = unit_area, residual
        self.cond_channels = width if cond_channels is None else cond_channels
        self.correspondence = correspondence or self.matcher(width, residual_blocks)
        self.refinement = Refinement(refine_width, self.cond_channels, faithful)
        self.correspondence.apply(_initialise)
        if faithful:
            self.refinement.apply(_initialise)
            # The released layer is a convolution of kernel 3, whose fan-out counts the kernel.
            with torch.no_grad():
                self.refinement.fc.weight.mul_(((9 + refine_width) / (9 + 3 * refine_width)) ** 0.5)
        if residual:
            last = self.refinement.following[-1]
            assert isinstance(last, nn.Linear) and last.bias is not None
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

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
        f_identity, f_pose = self.correspondence.encode_each(identity, pose)
        queries, keys = self.correspondence.queries(f_identity), self.correspondence.keys(f_pose)
        warp = self.correspondence.warp(queries, keys, pose)
        return Transfer(self.refine(warp, f_identity), warp)

    def refine(
        self,
        warp: Tensor,  # (B, N_id, 3), metres
        f_identity: Tensor,  # (B, N_id, width)
    ) -> Tensor:
        """Refine coarse meshes, conditioned on the identity's features; (B, N_id, 3), metres."""
        refined = self.refinement(warp, f_identity[..., : self.cond_channels])
        return warp + refined if self.residual else refined


def _initialise(module: nn.Module) -> None:
    """Initialise as released: Xavier normal with gain 0.02, biases 0.

    Weights under a spectral norm keep torch's initialisation. The released code does the same on a GPU, where its own
    initialisation misses them. Their size has no effect on the output, but an Adam step of fixed length would change
    tiny weights completely. The generator takes long to outgrow gain 0.02: until then the refined mesh is worse than
    its warp. So by default the generator also keeps torch's initialisation.
    """
    if isinstance(module, nn.Linear):
        if not isinstance(module, SpectralLinear):
            nn.init.xavier_normal_(module.weight, gain=_INIT_GAIN)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
