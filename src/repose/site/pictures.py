"""Images of image methods: inputs, generated images, and the flow behind them."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repose.predict.read_images import generated_images
from repose.predict.read_images import pairs_of as predicted_pairs
from repose.report.images import flow_colours, pose_picture, warped
from repose.report.sheet import png
from repose.site import addresses
from repose.site.pairs import Pairs, pairs_of, scored
from repose.store.image_store import ImageStore

VISIBILITY = np.array([[46, 111, 173], [229, 145, 56], [255, 255, 255]], np.uint8)
"""Colours of what is seen in the source too, of what is not, and of the background."""

Titled = list[tuple[str, str]]
"""Titles and addresses of pictures, in the order in which they are shown."""


class Gallery:
    """Writes the images of one dataset; equal images, such as a flow that methods share, become one file.

    Args:
        root: the folder of the site.
        dataset: name of the dataset.
        store: packed images of the dataset.
    """

    def __init__(self, root: Path, dataset: str, store: ImageStore):
        self.root, self.name, self.store = root, dataset, store
        self._given = cache(self._given_pictures)

    def samples(self, names: list[str]) -> Titled:
        """Some images of the dataset."""
        images = self.store.images([self.store.index_of(name) for name in names])
        return [(name, self._picture(image)) for name, image in zip(names, images, strict=True)]

    def pairs(self, method: str, predictions: Path, scores: Path, common: int | None) -> dict[str, Pairs]:
        """Write a method's images for the chosen pairs of each protocol, and once the inputs and the truth."""
        found = {}
        for protocol, rows in scored(scores).items():
            items = predicted_pairs(predictions, protocol)
            pairs = pairs_of(rows, items, "images")
            arrays = generated_images(predictions, protocol, items, self.store.size)
            for number in pairs.chosen(common):
                source, target = items[number]
                values = {name: array.rows(number, number + 1)[0] for name, array in arrays.items()}
                given, drawn = self._given(source, target), self._drawn(source, values)
                pairs.shown[number] = {"given": given, "drawn": drawn}
            found[protocol] = pairs
        return found

    def _given_pictures(self, source: str, target: str) -> Titled:
        """Return the images that do not depend on a method."""
        rows = self.store.index_of(source), self.store.index_of(target)
        first, truth = self.store.images(rows)
        pose = pose_picture(self.store.joints(rows[1:])[0], self.store.size)
        pictures = {"source": first, "pose": pose, "truth": truth}
        if self.store.is_rendered or (source, target) in self.store.pairs:
            pictures |= _flow(first, *self.store.flow(*rows), "true ")
        return self._written(pictures)

    def _drawn(self, source: str, values: Mapping[str, NDArray]) -> Titled:
        pictures: dict[str, NDArray] = {}
        if "image" in values:
            pictures["prediction"] = values["image"]
        if "flow" in values and "visibility" in values:
            first = self.store.images([self.store.index_of(source)])[0]
            pictures |= _flow(first, values["flow"].astype(np.float32), values["visibility"])
        if "share" in values:
            pictures["share of the warp"] = values["share"]
        return self._written(pictures)

    def _written(self, pictures: Mapping[str, NDArray]) -> Titled:
        return [(title, self._picture(picture)) for title, picture in pictures.items()]

    def _picture(self, pixels: NDArray) -> str:
        """Write an image if needed, and return its address, which is named by its content."""
        data = png(Image.fromarray(pixels))
        address = addresses.picture(self.name, hashlib.sha256(data).hexdigest()[:16])
        addresses.put(self.root, address, data)
        return address


def _flow(first: NDArray, flow: NDArray, visibility: NDArray, kind: str = "") -> dict[str, NDArray]:
    """Return images of the flow, the visibility, and the source as they warp it."""
    return {
        f"{kind}flow": flow_colours(flow, visibility),
        f"{kind}visibility": VISIBILITY[np.minimum(visibility, 2)],
        f"{kind}warp": warped(first, flow, visibility),
    }
