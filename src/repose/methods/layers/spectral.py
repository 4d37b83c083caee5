"""Spectrally normalised per-vertex linear map (Miyato et al., ICLR 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_EPSILON = 1e-12  # as in torch's own implementation
_START_ITERATIONS = 64


class SpectralLinear(nn.Linear):
    """A linear map whose weight can be divided by an estimate of its largest singular value.

    It does not use torch's parametrization: the caller folds the weight into neighbouring layers, so it needs the
    normalised matrix once per step, and the power iteration must not run again at every access. Call `settle` after
    initialising the weight: the vectors start random, and the network would be badly scaled in eval mode.
    """

    u: Tensor  # (out_features,), left singular vector
    v: Tensor  # (in_features,), right singular vector

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        super().__init__(in_features, out_features, bias=bias)
        self.register_buffer("u", F.normalize(torch.randn(out_features), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(in_features), dim=0))
        self.settle()

    @torch.no_grad()
    def settle(self) -> None:
        """Run the power iteration until the singular vectors fit the present weight."""
        # on the meta device there is nothing to find, and each step takes milliseconds
        if self.weight.is_meta:
            return
        for _ in range(_START_ITERATIONS):
            self._iterate()

    def normalised_weight(self) -> Tensor:
        """Return weight / σ, (out_features, in_features); in training mode after one power iteration."""
        with torch.autocast(self.weight.device.type, enabled=False):  # σ in half precision would drift
            if self.training:
                self._iterate()
            # Copies, because a second forward pass changes the buffers before the first one's backward pass.
            sigma = torch.dot(self.u.clone(), self.weight @ self.v.clone())
            return self.weight / sigma

    def forward(
        self,
        x: Tensor,  # (..., in_features)
    ) -> Tensor:
        """Return (..., out_features)."""
        return F.linear(x, self.normalised_weight(), self.bias)

    @torch.no_grad()
    def _iterate(self) -> None:
        self.v.copy_(F.normalize(self.weight.T @ self.u, dim=0, eps=_EPSILON))
        self.u.copy_(F.normalize(self.weight @ self.v, dim=0, eps=_EPSILON))
