"""3D-CoreNet with a part taken out, for the ablation table.

The paper's poster only names its variants ("w/o ElaIN", "Corr (a)", "Corr (b)"). What replaces a missing part is
therefore our choice, the smallest change that leaves the rest as it is:

* without ElaIN: the learned weight w between the statistics of the identity's features and those of x is fixed
  to 1, so that γ' = γ_f and β' = β_f: plain conditional instance norm on the identity's features;
* without the warp: the generator starts from the identity's own vertices, and of the pose gets one feature, the
  maximum over the pose mesh's vertices, joined to every vertex as in NPT. There is no correspondence left.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from repose.methods.corenet.network import CoreNet
from repose.methods.interface import Transfer, check_pair
from repose.methods.layers.elain import ElaIN


class _Ones(nn.Module):
    """Replaces the map to the weight w of ElaIN by the constant 1."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return x.new_ones(*x.shape[:-1], self.channels)


class AblatedCoreNet(CoreNet):
    """3D-CoreNet without ElaIN, or without the correspondence-based warp.

    Args:
        width, residual_blocks, refine_width, unit_area, residual: as in `CoreNet`.
        elain: whether the generator's norms are elastic.
        warp: whether the generator starts from the warped pose mesh.
    """

    def __init__(
        self,
        width: int = 256,
        residual_blocks: int = 4,
        refine_width: int = 1024,
        unit_area: bool = False,
        residual: bool = False,
        elain: bool = True,
        warp: bool = True,
    ):
        super().__init__(width, residual_blocks, refine_width, unit_area=unit_area, residual=residual)
        self.warped = warp
        if not elain:
            for layer in self.refinement.modules():
                if isinstance(layer, ElaIN):
                    layer.mlp_weight = _Ones(layer.mlp_same.out_features)  # type: ignore[assignment]
        if not warp:
            # Nothing is matched in this variant; the pooled feature replaces the warp.
            del self.correspondence.theta, self.correspondence.phi
            self.refinement.fc = nn.Linear(3 + width, refine_width)

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3), metres, centred by its bounding box
        pose: Tensor,  # (B, N_po, 3), metres, centred by its bounding box
    ) -> Transfer:
        """Pose the identity meshes like the pose meshes; the vertex counts may differ.

        Raises:
            ReposeError: wrong shapes.
        """
        if self.warped:
            return super().forward(identity, pose)
        check_pair(identity, pose)
        features = self.correspondence.encode(identity)
        pooled = self.correspondence.encode(pose).amax(dim=1, keepdim=True)
        start = torch.cat([identity, pooled.expand(-1, identity.shape[1], -1)], dim=-1)
        found = self.refinement(start, features)
        return Transfer(identity + found if self.residual else found)
