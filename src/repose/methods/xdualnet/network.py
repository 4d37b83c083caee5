"""X-DualNet, unsupervised 3D pose transfer with cross consistency and dual reconstruction (Song et al., TPAMI 2023).

3D-CoreNet whose features see the neighbourhood of each vertex: set convolutions on the graph of nearest vertices, and
no further maps before they are compared. Its generator is 3D-CoreNet's, on a narrower condition. That it needs no truth
is a matter of its training: `repose.methods.xdualnet.dual`.
"""

from __future__ import annotations

from torch import Tensor, nn

from repose.methods.corenet.network import CoreNet, Correspondence
from repose.methods.layers.statistics import unit
from repose.methods.xdualnet.graph import neighbourhoods
from repose.methods.xdualnet.matching import Back, there_and_back
from repose.methods.xdualnet.set_convolution import SetConvolution


class SetCorrespondence(Correspondence):
    """Features of both meshes by shared weights, and the warp that they give (the paper's correspondence learning).

    Args:
        width: channels of the features; the paper has 128.
        neighbours, graph_vertices: see `XDualNet`.
    """

    def __init__(self, width: int = 128, neighbours: int = 32, graph_vertices: int | None = None):
        nn.Module.__init__(self)
        self.neighbours, self.graph_vertices = neighbours, graph_vertices
        channels = ((3, width // 4), (width // 4, width // 2), (width // 2, width))
        self.feat_conv = nn.ModuleList(SetConvolution(i, o) for i, o in channels)

    def encode(
        self,
        vertices: Tensor,  # (B, N, 3), metres
    ) -> Tensor:
        """Return per-vertex features (B, N, width); one graph, of the vertices, serves all convolutions."""
        graph = neighbourhoods(vertices, self.neighbours, self.graph_vertices)
        x = vertices
        for convolution in self.feat_conv:
            x = convolution(x, vertices, graph)
        return x

    def queries(
        self,
        features: Tensor,  # (B, N, width), of the identity, or of the pose mesh
    ) -> Tensor:
        """What the vertices of either mesh are compared by, (B, N, width), of unit length."""
        return unit(features)

    keys = queries

    def warp(
        self,
        queries: Tensor,  # (B, N_id, width), of unit length
        keys: Tensor,  # (B, N_po, width), of unit length
        points: Tensor,  # (B, N_po, 3), metres: the pose mesh
    ) -> Tensor:
        """The pose mesh's vertices at the identity's, (B, N_id, 3), metres: W = T_norm P."""
        return there_and_back(queries, keys, points, None)[0]

    def warp_and_back(
        self,
        queries: Tensor,  # (B, N_id, width), of unit length
        keys: Tensor,  # (B, N_po, width), of unit length
        points: Tensor,  # (B, N_po, 3), metres: the pose mesh
        back: Back = "means",
    ) -> tuple[Tensor, Tensor]:
        """The warp, and the pose mesh carried back from it, (B, N_po, 3), metres: T_normᵀ W (see `matching`)."""
        return there_and_back(queries, keys, points, back)


class XDualNet(CoreNet):
    """X-DualNet: 23,129,155 parameters at the default widths with `faithful`, as released.

    Args:
        width: channels of the features, all of which condition the generator; the paper has 128.
        neighbours: vertices in the neighbourhood of a vertex, itself among them; the paper has 32.
        graph_vertices: on a mesh of r times as many vertices every r-th nearest one is a neighbour; the paper has the
            nearest (see `repose.methods.xdualnet.graph`).
        refine_width: channels of the first refinement block; the paper has 1024.
        faithful, unit_area, residual: as in `CoreNet`; the training has more that is as released.
    """

    correspondence: SetCorrespondence

    def __init__(
        self,
        width: int = 128,
        neighbours: int = 32,
        graph_vertices: int | None = None,
        refine_width: int = 1024,
        faithful: bool = False,
        unit_area: bool = False,
        residual: bool = False,
    ):
        super().__init__(
            width,
            refine_width=refine_width,
            faithful=faithful,
            unit_area=unit_area,
            residual=residual,
            correspondence=SetCorrespondence(width, neighbours, graph_vertices),
        )
