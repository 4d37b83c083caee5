"""Read the images of a dataset in batches, and the exact flow between any two of them."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.images.correspondence import BARYCENTRIC_UNIT, Camera, View, correspond
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import read_array, read_meta
from repose.store.rows import MappedRows, NamedRows

_HINT = "run `repose store` again"


class ImageStore(NamedRows):
    """The images of one dataset with joints, segmentation and correspondences.

    Batches are copied out of memory-mapped, uncompressed chunk files, which are checked, as in `MeshStore`.
    Pixel (i, j) has its centre at x = j, y = i.
    """

    what = "image"

    def __init__(self, path: Path):
        if not (path / "zarr.json").is_file():
            raise ReposeError("no image store", where=path, hint="run `repose store`")
        self.path, self._files = path, stated(path)
        self._arrays: dict[str, MappedRows] = {}
        group = read_meta(path, self._files)
        with foreign(path, "not an image store", _HINT):
            attributes = group["attributes"]
            self.image_ids = [str(name) for name in attributes["image_ids"]]
            self._labels = {str(k): list(v) for k, v in attributes.get("labels", {}).items()}
            images, height, width, _ = self._rows("image").shape
            self.size = height, width
            for names in (self.image_ids, *self._labels.values()):
                if len(names) != images:
                    raise ValueError(f"{images} images, {len(names)} names or labels")
        super().__init__(path, self.image_ids)

    def images(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return images (len(indices), H, W, 3), RGB."""
        return self._take("image", indices)

    def joints(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return joints (len(indices), 18, 3): x and y in pixels, and whether the joint is seen; OpenPose order."""
        return self._take("joints", indices)

    def segmentation(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        """Label maps (len(indices), H, W); `repose.images.classes.LABELS` says what the numbers are."""
        return self._take("segmentation", indices)

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> dict[str, list[str]]:
        """Return the known attributes of some images, by the columns of `repose.images.attributes.ATTRIBUTES`.

        Raises:
            ReposeError: the clothes of the images are not known, as in photos.
        """
        if not self._labels:
            raise ReposeError("the clothes in these images are not known", self.path)
        return {name: [values[i] for i in indices] for name, values in self._labels.items()}

    def faces(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int32]:
        """Return the number of the face at each pixel of rendered images, (len(indices), H, W); -1 is background."""
        return self._take("face", indices)

    @property
    def is_rendered(self) -> bool:
        """Whether every pair of images of one person has its exact flow."""
        return (self.path / "face").is_dir()

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Pairs (source, target) of photos whose flow was imported; rendered sets need none."""
        return frozenset(self._imported)

    def flow(self, source: int, target: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return the flow from each pixel of the target image to its place in the source image.

        Both must show the same person in the same clothes.

        Returns:
            Flow (H, W, 2) in pixels, x then y: the surface point at pixel p of the target is at p + flow in the source;
                0 on the background. Visibility (H, W): 0 visible in the source too, 1 not, 2 background.

        Raises:
            ReposeError: the images are photos without an imported correspondence.
        """
        if self.is_rendered:
            return correspond(self.view(source), self.view(target), self._triangles)
        names = self.image_ids[source], self.image_ids[target]
        if names not in self._imported:
            raise ReposeError(
                f"no correspondence of {names[1]} to {names[0]}", self.path, "bring its .corr file"
            )
        row = self._imported[names]
        return self._take("imported/flow", [row])[0], self._take("imported/visibility", [row])[0]

    def view(self, index: int) -> View:
        """Return the geometry behind a rendered image."""
        focal, x, y = self._cameras[index]
        return View(
            face=self._take("face", [index])[0],
            barycentric=self._take("barycentric", [index])[0].astype(np.float64) / BARYCENTRIC_UNIT,
            depth=self._take("depth", [index])[0],
            vertices=self._take("vertices", [index])[0],
            camera=Camera(float(focal), float(x), float(y)),
        )

    def _take(self, name: str, indices: Sequence[int] | NDArray[np.integer]) -> NDArray:
        return self._rows(name).take(indices)

    def _rows(self, name: str) -> MappedRows:
        if name not in self._arrays:
            self._arrays[name] = MappedRows(self.path / name, self._files, _HINT)
        return self._arrays[name]

    @cached_property
    def _cameras(self) -> NDArray[np.float64]:
        return read_array(self.path / "camera", self._files)

    @cached_property
    def _triangles(self) -> NDArray[np.int32]:
        return read_array(self.path / "triangles", self._files)

    @cached_property
    def _imported(self) -> dict[tuple[str, str], int]:
        folder = self.path / "imported"
        if not folder.is_dir():
            return {}
        group = read_meta(folder, self._files)
        with foreign(folder, "not an image store", _HINT):
            pairs = group["attributes"]["pairs"]
            return {(str(source), str(target)): row for row, (source, target) in enumerate(pairs)}
