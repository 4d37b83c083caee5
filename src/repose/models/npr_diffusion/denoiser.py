"""The transformer that tells noise from a set of tokens, after SALAD (Koo et al., ICCV 2023)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

HEADS = 4
_TIME = 128  # channels of the embedded step
_WAVES, _LONGEST = 256, 10_000  # channels and longest period of the sinusoids


class Denoiser(nn.Module):
    """Says what is noise in tokens, whatever their order, at a step of the diffusion.

    Args:
        channels: of a token.
        given: channels of what is known of each token; 0: nothing.
        width, layers: of the transformer.
    """

    def __init__(self, channels: int, given: int, width: int, layers: int):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(_WAVES, _TIME), nn.SiLU(), nn.Linear(_TIME, _TIME))
        self.enter, self.leave = nn.Linear(channels, width), nn.Linear(width, channels)
        self.known = nn.Linear(given, width) if given else None
        self.among_known = nn.ModuleList(_Layer(width, 0) for _ in range(layers if given else 0))
        self.layers = nn.ModuleList(_Layer(width, _TIME + (width if given else 0)) for _ in range(layers))

    def forward(
        self,
        x: Tensor,  # (B, K, C)
        step: Tensor,  # (B,) int64
        given: Tensor | None = None,  # (B or 1, K, G)
    ) -> Tensor:
        """The noise (B, K, C)."""
        context = self.time(waves(step))[:, None]
        if self.known is not None:
            assert given is not None
            known = self.known(given)
            for layer in self.among_known:
                known = layer(known)
            count = x.shape[1]
            context = torch.cat([context.expand(-1, count, -1), known.expand(len(x), -1, -1)], dim=-1)
        y = self.enter(x)
        for layer in self.layers:
            y = layer(y, context)
        return x + self.leave(y)


def waves(step: Tensor) -> Tensor:
    """Sinusoids (B, 256) of whole steps (B,): not of their variances, which are too alike to tell apart."""
    rates = torch.exp(-math.log(_LONGEST) * torch.arange(_WAVES // 2, device=step.device) / (_WAVES // 2))
    angles = step[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class _Layer(nn.Module):
    """Attention among tokens and a perceptron that the context, if any, opens and shifts; norms come last."""

    def __init__(self, width: int, context: int):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, HEADS, batch_first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.first, self.second = _Squash(width, 2 * width, context), _Squash(2 * width, width, context)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        x = self.norms[0](x + self.attention(x, x, x, need_weights=False)[0])
        return self.norms[1](x + self.second(self.first(x, context).relu(), context))


class _Squash(nn.Module):
    """A linear layer, times a gate and plus a shift of the context."""

    def __init__(self, width: int, out: int, context: int):
        super().__init__()
        self.linear = nn.Linear(width, out)
        self.gate = nn.Linear(context, out) if context else None
        self.shift = nn.Linear(context, out, bias=False) if context else None

    def forward(self, x: Tensor, context: Tensor | None) -> Tensor:
        if self.gate is None or self.shift is None:
            return self.linear(x)
        return self.linear(x) * self.gate(context).sigmoid() + self.shift(context)
