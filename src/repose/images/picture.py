"""One image with its labels, and the two files that hold them."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repose.errors import ReposeError
from repose.images.classes import LABELS
from repose.reading import foreign, read_bytes, read_npz

MAX_BYTES = 64 << 20  # bytes of an image file; decoded it takes at most 16 bytes a pixel, whatever its kind
MAX_PIXELS = 1 << 25
MAX_SCANS = 100  # scans of a JPEG, each of which goes over all pixels; encoders write up to 14
MAX_LABELS = 1 << 29  # bytes of all labels of an image; those of a rendered image take 13 a pixel
_HINT = "run `repose convert` again"


@dataclass(frozen=True, eq=False)
class Geometry:
    """The geometry behind each pixel of a rendered image; see `repose.images.correspondence.View`.

    Attributes:
        face: (H, W) int32.
        barycentric: (H, W, 2) uint16, in units of 1 / `repose.images.correspondence.BARYCENTRIC_UNIT`.
        depth: (H, W) float32.
        vertices: (V, 3) float32.
        camera: (3,) float64, focal length and principal point.
    """

    face: NDArray[np.int32]
    barycentric: NDArray[np.uint16]
    depth: NDArray[np.float32]
    vertices: NDArray[np.float32]
    camera: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Picture:
    """One image with its labels.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        joints: (18, 3) float32, x and y in pixels and whether it is seen, in OpenPose order.
        segmentation: (H, W) uint8, 0 background to 6 right leg.
        geometry: geometry of a rendered image.
    """

    image: NDArray[np.uint8]
    joints: NDArray[np.float32]
    segmentation: NDArray[np.uint8]
    geometry: Geometry | None = None

    @property
    def digest(self) -> str:
        """Return the sha256 of the image and its labels."""
        digest = hashlib.sha256()
        for name, array in self._arrays().items():
            digest.update(
                f"{name}{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()
            )
        return digest.hexdigest()

    def encode(self) -> tuple[bytes, bytes]:
        """Return the PNG, and the archive (npz) of everything else."""
        png, labels = io.BytesIO(), io.BytesIO()
        Image.fromarray(self.image).save(png, "PNG", compress_level=3)
        rest = {name: array for name, array in self._arrays().items() if name != "image"}
        np.savez(labels, **rest)  # type: ignore[arg-type]
        return png.getvalue(), labels.getvalue()

    @classmethod
    def read(cls, png: Path) -> "Picture":
        """Read a PNG and the `.npz` beside it.

        Raises:
            ReposeError: a file is missing or damaged, or the two do not fit.
        """
        for path in (png, png.with_suffix(".npz")):
            if not path.exists():
                raise ReposeError("missing", path, _HINT)
        data = read_bytes(png, 4 * MAX_PIXELS)
        arrays = read_npz(png.with_suffix(".npz"), "damaged", _HINT, limit=MAX_LABELS)
        with foreign(png, "damaged", _HINT):
            geometry = None
            if "face" in arrays:
                geometry = Geometry(**{f.name: arrays.pop(f.name) for f in fields(Geometry)})
            return cls(pixels(data, "RGB", ["PNG"]), geometry=geometry, **arrays).checked(png)

    def checked(self, where: object) -> "Picture":
        """Return the picture itself if its parts fit together, else raise."""
        size = self.image.shape[:2]
        if self.image.shape != (*size, 3) or self.segmentation.shape != size or self.joints.shape != (18, 3):
            raise ReposeError("image, labels and joints do not fit together", where)
        if self.segmentation.max(initial=0) >= len(LABELS):
            raise ReposeError(f"label {self.segmentation.max()} of a segmentation; known are 0 to 6", where)
        return self

    def _arrays(self) -> dict[str, NDArray]:
        arrays: dict[str, NDArray] = {
            "image": self.image,
            "joints": self.joints,
            "segmentation": self.segmentation,
        }
        if self.geometry:
            arrays |= {f.name: getattr(self.geometry, f.name) for f in fields(Geometry)}
        return arrays


def pixels(data: bytes, mode: str, formats: Sequence[str]) -> NDArray[np.uint8]:
    """Decode an image completely.

    Args:
        data: content of the file.
        mode: "RGB" for (H, W, 3), "L" for (H, W).
        formats: accepted formats, by Pillow's names.

    Raises:
        ValueError: the image has more than `MAX_PIXELS` pixels, or a JPEG more than `MAX_SCANS` scans.
        Exception: nearly any other error, if the file is damaged.
    """
    image = Image.open(io.BytesIO(data), formats=list(formats))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width} × {image.height} pixels")
    if image.format in ("JPEG", "MPO") and (scans := data.count(b"\xff\xda")) > MAX_SCANS:
        raise ValueError(f"{scans} scans")
    return np.asarray(image.convert(mode))
