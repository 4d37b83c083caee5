"""The 2-D Lorenzo predictor as a Zarr v3 codec, and the compiled transforms behind it.

A distance matrix whose rows and columns follow a tour over the body is smooth in both directions. The
Lorenzo predictor of Ibarria et al. 2003 ("Out-of-core compression and decompression of large n-dimensional
scalar fields") replaces each number by its difference from ``left + above - above_left``, here modulo 2^16
so that it is exact; zigzag then folds small negative numbers next to small positive ones. After bitshuffle
and lz4 that takes a third of the space of plain bitshuffle.

Zarr finds the codec by the entry point ``repose.lorenzo2d`` in the group ``zarr.codecs`` (pyproject.toml). A
reader without repose stops with "unknown codec": it never sees differences instead of distances.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from zarr.abc.codec import ArrayArrayCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import NDBuffer
from zarr.core.common import JSON
from zarr.registry import register_codec

CODEC_NAME = "repose.lorenzo2d"


@njit(cache=True, nogil=True)
def predict(values: np.ndarray, out: np.ndarray) -> None:
    """Write the zigzagged Lorenzo residuals of a (R, C) uint16 array to ``out``."""
    down = np.empty(values.shape[1] + 1, np.uint16)  # differences from the row above, with a leading zero
    down[0] = 0
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            down[j + 1] = values[i, j] - values[i - 1, j] if i > 0 else values[i, j]
        for j in range(values.shape[1]):
            residual = np.int16(np.uint16(down[j + 1] - down[j]))
            out[i, j] = np.uint16((residual << 1) ^ (residual >> 15))


@njit(cache=True, nogil=True)
def restore(residuals: np.ndarray, out: np.ndarray) -> None:
    """Invert :func:`predict`: sum the residuals down, then right, modulo 2^16."""
    for i in range(residuals.shape[0]):
        for j in range(residuals.shape[1]):
            z = residuals[i, j]
            step = np.uint16((z >> np.uint16(1)) ^ np.uint16(0 - (z & np.uint16(1))))
            out[i, j] = out[i - 1, j] + step if i > 0 else step
    for i in range(out.shape[0]):
        total = np.uint16(0)
        for j in range(out.shape[1]):
            total = np.uint16(total + out[i, j])
            out[i, j] = total


@dataclass(frozen=True)
class Lorenzo2D(ArrayArrayCodec):
    """Array-to-array codec for 2-D uint16 chunks; lossless, without parameters."""

    is_fixed_size = True

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        """Build from metadata, which must not contain a configuration that this version does not know."""
        if data.get("configuration"):
            raise ValueError(f"{CODEC_NAME} takes no configuration, found {data['configuration']}")
        return cls()

    def to_dict(self) -> dict[str, JSON]:
        """Return the metadata of the codec."""
        return {"name": CODEC_NAME, "configuration": {}}

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        """Refuse arrays that are not 2-D uint16, when the array is created or opened."""
        if len(shape) != 2 or dtype.to_native_dtype() != np.dtype(np.uint16):
            raise ValueError(f"{CODEC_NAME} is for 2-D uint16 arrays, not {len(shape)}-D {dtype}")

    def compute_encoded_size(self, input_byte_length: int, _chunk_spec: ArraySpec) -> int:
        """Return the input size, which the transform does not change."""
        return input_byte_length

    async def _encode_single(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> NDBuffer:
        return _transform(predict, chunk_array, chunk_spec)

    async def _decode_single(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> NDBuffer:
        return _transform(restore, chunk_array, chunk_spec)


def _transform(function: Any, buffer: NDBuffer, spec: ArraySpec) -> NDBuffer:
    values = np.ascontiguousarray(buffer.as_ndarray_like())
    out: Any = np.empty_like(values)
    function(values, out)
    return spec.prototype.nd_buffer.from_ndarray_like(out)


register_codec(CODEC_NAME, Lorenzo2D)
