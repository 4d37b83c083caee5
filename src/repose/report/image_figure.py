"""The figure of a table of images: source, pose, flow, warp, output and truth, a row per method and test pair."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import zarr
from matplotlib.colors import hsv_to_rgb
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from repose.models.flow.warp import warp
from repose.report.sheet import contact_sheet
from repose.store.images import ImageStore

COLUMNS = ("source", "pose", "true flow", "flow", "warp", "output", "truth")
HEIGHT = 200  # pixels of a picture
LIMBS = (
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
)  # fmt: skip
_EMPTY = 235
_FASTEST = 0.25  # share of the image's height that the strongest colour stands for
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class ShownImages:
    """Predictions of one method on one protocol, to draw."""

    dataset: str
    method: str
    predictions: Path
    store: ImageStore


def image_figure(shown: list[ShownImages], pairs: int) -> bytes:
    """Draw some test pairs of every method, the same ones for all methods of a dataset; returns a PNG.

    Args:
        shown: predictions, in the order of the rows.
        pairs: how many, spread over the list.
    """
    rows, titles = [], []
    width = max(item.store.size[1] * HEIGHT // item.store.size[0] for item in shown)
    for place in range(pairs):
        for item in shown:
            group = zarr.open_group(item.predictions, mode="r")
            names = group.attrs["pairs"]
            index = int(np.linspace(0, len(names) - 1, pairs)[place])  # type: ignore[arg-type]
            source, target = names[index]  # type: ignore[index, misc]
            found = {name: np.asarray(array[index]) for name, array in group.arrays()}
            pictures = _pictures(item.store, str(source), str(target), found)
            rows.append([_enlarged(picture, width) for picture in pictures])
            titles.append(f"{item.dataset}\n{item.method}\n{target}")
    return contact_sheet(rows, COLUMNS, titles)


def flow_colours(flow: NDArray, visibility: NDArray) -> Picture:
    """Direction as hue and length as saturation; what is invisible in the source is darker, background white.

    Args:
        flow: (H, W, 2) pixels.
        visibility: (H, W) classes.
    """
    angle = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1
    length = np.clip(np.linalg.norm(flow, axis=-1) / (_FASTEST * flow.shape[0]), 0, 1)
    value = np.where(visibility == 1, 0.6, 1.0)
    colours = hsv_to_rgb(np.stack([angle, length, value], axis=-1))
    colours[visibility == 2] = 1
    return np.round(colours * 255).astype(np.uint8)


def pose_picture(joints: NDArray, size: tuple[int, int]) -> Picture:
    """Limbs between joints (18, 3) that are seen, on white."""
    scale = 4
    canvas = Image.new("RGB", (size[1] * scale, size[0] * scale), "white")
    draw = ImageDraw.Draw(canvas)
    for number, (a, b) in enumerate(LIMBS):
        if joints[a, 2] and joints[b, 2]:
            ends = [tuple((joints[j, :2] + 0.5) * scale) for j in (a, b)]
            colour = hsv_to_rgb((number / len(LIMBS), 0.9, 0.85)) * 255
            draw.line(ends, fill=tuple(int(c) for c in colour), width=scale * max(1, size[0] // 64))
    return np.asarray(canvas.resize((size[1], size[0]), Image.Resampling.BOX))


def _pictures(store: ImageStore, source: str, target: str, found: dict[str, NDArray]) -> list[Picture]:
    rows = store.index_of(source), store.index_of(target)
    first, truth = store.images(rows)
    empty = np.full_like(first, _EMPTY)
    flow = warped = true_flow = empty
    if store.is_rendered or (source, target) in store.pairs:
        true_flow = flow_colours(*store.flow(*rows))
    if "visibility" in found:
        flow = flow_colours(found["flow"].astype(np.float32), found["visibility"])
        warped = _warped(first, found["flow"], found["visibility"])
    pose = pose_picture(store.joints(rows[1:])[0], store.size)
    return [first, pose, true_flow, flow, warped, found.get("image", empty), truth]


def _warped(source: Picture, flow: NDArray, visibility: NDArray) -> Picture:
    image = torch.from_numpy(source).movedim(-1, 0)[None].float()
    moved = warp(image, torch.from_numpy(flow).movedim(-1, 0)[None].float())[0].movedim(0, -1).numpy()
    return np.where((visibility < 2)[..., None], np.round(moved), _EMPTY).astype(np.uint8)


def _enlarged(picture: Picture, width: int) -> Picture:
    """To one height, white to the right of what is narrower."""
    own = picture.shape[1] * HEIGHT // picture.shape[0]
    drawn = np.asarray(Image.fromarray(picture).resize((own, HEIGHT), Image.Resampling.NEAREST))
    return np.pad(drawn, ((0, 0), (0, width - own), (0, 0)), constant_values=255)
