"""MAPConNet, self-supervised 3D pose transfer with mesh and point contrastive learning (Sun et al., ICCV 2023).

It is 3D-CoreNet with split features: the first half of the channels describes the identity and alone conditions the
generator, the other half describes the pose; optimal transport compares all channels. Contrastive losses
(`contrastive.py`) teach what the halves mean, with or without truths (`consistency.py`).
"""

from __future__ import annotations

from repose.methods.corenet.network import CoreNet


class MapConNet(CoreNet):
    """MAPConNet: 23,773,319 parameters at the default widths with `faithful`, as released.

    Args:
        width: channels of the features; the paper has 256.
        identity_channels: number of the first channels, which describe the identity; the paper has 128.
        residual_blocks: residual blocks of the feature extractor; the paper has 4.
        refine_width: channels of the first refinement block; the paper has 1024.
        faithful: whether the first layer of the generator sees neighbours in the vertex index, as released; see
            `CoreNet`.
        unit_area, residual: as in `CoreNet`.
    """

    def __init__(
        self,
        width: int = 256,
        identity_channels: int = 128,
        residual_blocks: int = 4,
        refine_width: int = 1024,
        faithful: bool = False,
        unit_area: bool = False,
        residual: bool = False,
    ):
        super().__init__(
            width,
            residual_blocks,
            refine_width,
            faithful,
            unit_area,
            residual,
            cond_channels=identity_channels,
        )
