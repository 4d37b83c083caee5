"""Zeros behind rows of odd widths, for a GPU: it reads matrices 16 bytes at a time, and others by slower kernels.

On a CPU nothing is padded, as it would only have more to do.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

_DEVICES = ("cuda",)
_MULTIPLE = 8  # numbers of bfloat16 in 16 bytes; of float32 there are 4


def padded(x: Tensor, *dims: int) -> Tensor:
    """On a GPU the tensor with zeros behind these dimensions, up to multiples of 8; elsewhere the tensor itself."""
    room = [0] * x.ndim
    if x.device.type in _DEVICES:
        for dim in dims:
            room[dim] = -x.shape[dim] % _MULTIPLE
    return F.pad(x, [n for count in reversed(room) for n in (0, count)]) if any(room) else x


def padded_map(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear map from and to padded channels; what it adds to the padding is 0."""
    return padded(layer.weight, 0, 1), padded(layer.bias, 0)
