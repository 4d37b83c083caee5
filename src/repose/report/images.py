"""The figure of a table of images: a row per test pair, with the flow, the warp and the images of all methods."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.colors import hsv_to_rgb
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from repose.images.classes import BACKGROUND, HIDDEN
from repose.methods.flow.warp import warp
from repose.predict.read_images import generated_images
from repose.report.sheet import contact_sheet
from repose.report.shown import Shown, by_dataset, spread
from repose.store.image_store import ImageStore

EXAMPLES = 4  # pairs of each dataset
LEAST_WIDTH, LEAST_HEIGHT = 160, 200  # pixels of an image in the figure
LIMBS = (
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
)  # fmt: skip
_EMPTY = 235
_FASTEST = 0.25  # share of the image's height that the strongest colour represents
Picture = NDArray[np.uint8]
Found = dict[str, NDArray]  # the predictions of one method for one pair

open_store = ImageStore


def draw(shown: Sequence[Shown[ImageStore]], examples: int = EXAMPLES) -> bytes:
    """Draw some test pairs of each dataset with the results of every method; return a PNG.

    A flow that several methods share, such as variants of one method, is drawn once.

    Args:
        shown: predictions, with the methods of a dataset in a row; all datasets have the same methods.
        examples: number of pairs of each dataset, spread over the list.
    """
    rows, titles, columns = [], [], []
    size = _size([item.store.size for item in shown])
    for methods in by_dataset(shown):
        names, store = methods[0].names("pairs"), methods[0].store
        predicted = {
            item.method: generated_images(item.predictions.parent, item.predictions.name, names, store.size)
            for item in methods
        }
        for index in spread(len(names), examples):
            source, target = names[index]
            found = {
                method: {name: array.rows(index, index + 1)[0] for name, array in arrays.items()}
                for method, arrays in predicted.items()
            }
            first, truth = store.images([store.index_of(name) for name in (source, target)])
            pictures = _given(store, source, target) | _drawn(first, truth, found) | {"truth": truth}
            rows.append([_enlarged(picture, size) for picture in pictures.values()])
            titles.append("\n".join([methods[0].dataset, source, target]))
            columns = list(pictures)
    return contact_sheet(rows, columns, titles)


def flow_colours(flow: NDArray, visibility: NDArray) -> Picture:
    """Return an image with direction as hue and length as saturation; invisible parts are darker, background is white.

    Args:
        flow: (H, W, 2) pixels.
        visibility: (H, W) classes.
    """
    angle = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1
    length = np.clip(np.linalg.norm(flow, axis=-1) / (_FASTEST * flow.shape[0]), 0, 1)
    value = np.where(visibility == HIDDEN, 0.6, 1.0)
    colours = hsv_to_rgb(np.stack([angle, length, value], axis=-1))
    colours[visibility == BACKGROUND] = 1
    return np.round(colours * 255).astype(np.uint8)


def pose_picture(joints: NDArray, size: tuple[int, int]) -> Picture:
    """Draw limbs between the joints (18, 3) that are seen, on white."""
    scale = 4
    canvas = Image.new("RGB", (size[1] * scale, size[0] * scale), "white")
    draw = ImageDraw.Draw(canvas)
    for number, (a, b) in enumerate(LIMBS):
        if joints[a, 2] and joints[b, 2]:
            ends = [tuple((joints[j, :2] + 0.5) * scale) for j in (a, b)]
            colour = hsv_to_rgb((number / len(LIMBS), 0.9, 0.85)) * 255
            draw.line(ends, fill=tuple(int(c) for c in colour), width=scale * max(1, size[0] // 64))
    return np.asarray(canvas.resize((size[1], size[0]), Image.Resampling.BOX))


def _given(store: ImageStore, source: str, target: str) -> dict[str, Picture]:
    """Return the images that do not depend on a method."""
    rows = store.index_of(source), store.index_of(target)
    first = store.images(rows[:1])[0]
    true_flow = np.full_like(first, _EMPTY)
    if store.is_rendered or (source, target) in store.pairs:
        true_flow = flow_colours(*store.flow(*rows))
    return {
        "source": first,
        "pose": pose_picture(store.joints(rows[1:])[0], store.size),
        "true flow": true_flow,
    }


def _drawn(first: Picture, truth: Picture, found: dict[str, Found]) -> dict[str, Picture]:
    """Return the flows, each with the warped source, and the images of all methods that do not only copy."""
    pictures: dict[str, Picture] = {}
    images: dict[str, Picture] = {}
    known: list[NDArray] = []
    for method, values in found.items():
        flow, seen = values.get("flow"), values.get("visibility")
        if flow is not None and seen is not None and not any(np.array_equal(flow, k) for k in known):
            known.append(flow)
            pictures[f"flow of\n{method}"] = flow_colours(flow.astype(np.float32), seen)
            pictures[f"warp of\n{method}"] = warped(first, flow, seen)
        image = values.get("image")
        if image is not None and not any(np.array_equal(image, copied) for copied in (first, truth)):
            images[method] = image
    return pictures | images


def warped(source: Picture, flow: NDArray, visibility: NDArray) -> Picture:
    """Return the source (H, W, 3) warped by the flow; the background, by the visibility (H, W), is grey."""
    image = torch.from_numpy(source).movedim(-1, 0)[None].float()
    moved = warp(image, torch.from_numpy(flow).movedim(-1, 0)[None].float())[0].movedim(0, -1).numpy()
    return np.where((visibility < BACKGROUND)[..., None], np.round(moved), _EMPTY).astype(np.uint8)


def _size(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the size of all images: that of the largest image of a table, enlarged so that titles fit above."""
    height, width = max(sizes)
    factor = max(LEAST_WIDTH / width, LEAST_HEIGHT / height, 1)
    return round(height * factor), round(width * factor)


def _enlarged(picture: Picture, size: tuple[int, int]) -> Picture:
    """Enlarge to one height; white is added to the right of narrower images, and wider ones are cropped."""
    own = round(picture.shape[1] * size[0] / picture.shape[0])
    drawn = np.asarray(Image.fromarray(picture).resize((own, size[0]), Image.Resampling.NEAREST))[
        :, : size[1]
    ]
    return np.pad(drawn, ((0, 0), (0, size[1] - drawn.shape[1]), (0, 0)), constant_values=255)
