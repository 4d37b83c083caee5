"""The transformer that predicts the noise in a set of tokens, after SALAD (Koo et al., ICCV 2023)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

HEADS = 4
_TIME = 128  # channels of the embedded step
_WAVES, _LONGEST = 256, 10_000  # channels and longest period of the sinusoids


class Denoiser(nn.Module):
    """Predicts noise or velocity from noisy tokens, in any order, at a step of the diffusion.

    Args:
        channels: channels of a token.
        given: channels of the condition of each token; 0: no condition.
        width, layers: width and number of layers of the transformer.
    """

    def __init__(self, channels: int, given: int, width: int, layers: int):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(_WAVES, _TIME), nn.SiLU(), nn.Linear(_TIME, _TIME))
        self.enter, self.leave = nn.Linear(channels, width), nn.Linear(width, channels)
        self.known = nn.Linear(given, width) if given else None
        self.among_known = nn.ModuleList(_Layer(width) for _ in range(layers if given else 0))
        self.layers = nn.ModuleList(_Layer(width, width if given else 0, _TIME) for _ in range(layers))

    def forward(
        self,
        x: Tensor,  # (B, K, C)
        step: Tensor,  # (B,) int64
        given: Tensor | None = None,  # (B or 1, K, G)
    ) -> Tensor:
        """Return the prediction (B, K, C)."""
        time, known, y = self.time(waves(step))[:, None], None, self.enter(x)
        if self.known is not None:
            assert given is not None
            known = self.known(given)
            y = y + known  # this identifies the tokens to the attention, whatever the noise
            for layer in self.among_known:
                known = layer(known)
            y = y + known
        for layer in self.layers:
            y = layer(y, known, time)
        return self.leave(y)


def waves(step: Tensor) -> Tensor:
    """Return sinusoids (B, 256) of integer steps (B,); the variances of steps are too similar to tell apart."""
    rates = torch.exp(-math.log(_LONGEST) * torch.arange(_WAVES // 2, device=step.device) / (_WAVES // 2))
    angles = step[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class _Layer(nn.Module):
    """Attention among tokens and a perceptron that the context, if any, gates and shifts; norms come last (post-norm).

    Args:
        width: channels of a token.
        known, time: channels of the two parts of the context; 0: there is no such part.
    """

    def __init__(self, width: int, known: int = 0, time: int = 0):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, HEADS, batch_first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.first = _GatedLinear(width, 2 * width, known, time)
        self.second = _GatedLinear(2 * width, width, known, time)

    def forward(
        self,
        x: Tensor,  # (B, K, width)
        known: Tensor | None = None,  # (B or 1, K, known)
        time: Tensor | None = None,  # (B, 1, time)
    ) -> Tensor:
        x = self.norms[0](x + self.attention(x, x, x, need_weights=False)[0])
        return self.norms[1](x + self.second(self.first(x, known, time).relu(), known, time))


class _GatedLinear(nn.Module):
    """A linear layer, multiplied by a gate and shifted; gate and shift are linear in the context."""

    def __init__(self, width: int, out: int, known: int, time: int):
        super().__init__()
        self.linear = nn.Linear(width, out)
        # In effect one layer for both parts of the context; the part that is the same for all tokens is computed once.
        self.by_time = nn.Linear(time, 2 * out, bias=False) if time else None
        self.by_known = nn.Linear(known, 2 * out, bias=False) if known else None
        self.gate_bias = nn.Parameter(torch.zeros(out)) if time else None

    def forward(self, x: Tensor, known: Tensor | None, time: Tensor | None) -> Tensor:
        if self.by_time is None or self.gate_bias is None:
            return self.linear(x)
        gate, shift = self.by_time(time).chunk(2, dim=-1)
        if self.by_known is not None:
            more_gate, more_shift = self.by_known(known).chunk(2, dim=-1)
            gate, shift = gate + more_gate, shift + more_shift
        return self.linear(x) * (gate + self.gate_bias).sigmoid() + shift
