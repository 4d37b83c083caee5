"""Zero padding of odd widths for a GPU, which reads matrices 16 bytes at a time and others by slower kernels.

On a CPU nothing is padded, as padding would only add work.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

_DEVICES = ("cuda",)
_MULTIPLE = 8  # bfloat16 numbers in 16 bytes; float32 would need 4


def padded(x: Tensor, *dims: int) -> Tensor:
    """Pad these dimensions with zeros up to multiples of 8 on a GPU; elsewhere return the tensor itself."""
    room = [0] * x.ndim
    if x.device.type in _DEVICES:
        for dim in dims:
            room[dim] = -x.shape[dim] % _MULTIPLE
    return F.pad(x, [n for count in reversed(room) for n in (0, count)]) if any(room) else x


def padded_map(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a linear map from and to padded channels; its output in the padding is 0."""
    return padded(layer.weight, 0, 1), padded(layer.bias, 0)
