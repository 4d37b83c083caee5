"""`.corr` files of Intrinsic Flow: the position in image A of the surface point at each pixel of image B.

`{B}_{A}.corr` is little endian: int32 width, int32 height; float32 (height, width, 2) of x and y in A; uint8 (height,
width) of classes: 0 body, visible in A too; 1 body, not visible in A; 2 background.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repose.errors import ReposeError
from repose.images.classes import BACKGROUND
from repose.provenance.publish import publish
from repose.reading import read_bytes

HEADER = 8
MAX_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class Correspondence:
    """The position of each pixel of an image in another image.

    Attributes:
        position: (H, W, 2) float32 of x and y in the other image, in pixels.
        visibility: (H, W) uint8 of the classes of `repose.images.classes`.
    """

    position: np.ndarray
    visibility: np.ndarray


def read_corr(path: Path) -> Correspondence:
    """Read a .corr file.

    Raises:
        ReposeError: the size does not fit the header, a class is unknown, or a position of the body is not finite.
    """
    data = read_bytes(path, MAX_BYTES)
    width, height = (int(n) for n in np.frombuffer(data[:HEADER], "<i4")) if len(data) >= HEADER else (0, 0)
    pixels = width * height
    if min(width, height) < 1 or len(data) != HEADER + 9 * pixels:
        raise ReposeError(
            f"{len(data)} bytes do not hold {width} × {height} pixels",
            path,
            "the file is truncated or damaged",
        )
    position = np.frombuffer(data, "<f4", 2 * pixels, HEADER).reshape(height, width, 2)
    visibility = np.frombuffer(data, np.uint8, pixels, HEADER + 8 * pixels).reshape(height, width)
    if visibility.max() > BACKGROUND:
        raise ReposeError(f"class {visibility.max()} of visibility; known are 0, 1 and 2", path)
    if not np.isfinite(position[visibility != BACKGROUND]).all():
        raise ReposeError("a position on the body is not finite", path)
    return Correspondence(position, visibility)


def write_corr(path: Path, corr: Correspondence) -> None:
    """Write a file that `read_corr` reads, equal byte for byte to the file that was read."""
    height, width = corr.visibility.shape
    with publish(path) as private:
        private.write_bytes(
            np.array([width, height], "<i4").tobytes()
            + np.ascontiguousarray(corr.position, "<f4").tobytes()
            + np.ascontiguousarray(corr.visibility, np.uint8).tobytes()
        )
