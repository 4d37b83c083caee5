"""Run a trained method, or a baseline, over the test pairs of each protocol."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr
from numpy.typing import NDArray

from repose.columns import PAIR
from repose.data.batches import in_order
from repose.data.images import ImagePairs, unscaled
from repose.errors import ReposeError
from repose.methods.interface import GeneratedImage, ImageNetwork
from repose.methods.settings import MethodSettings
from repose.progress import track
from repose.store.image_store import ImageStore

BATCH = 8  # as the released test, whose batch norms depend on it


@torch.inference_mode()
def predict(
    method: MethodSettings,
    network: ImageNetwork,
    store: Path,
    splits: Mapping[str, pd.DataFrame],
    device: str,
    out: Path,
    label: str,
) -> None:
    """Write what a method predicts for the target of every test pair.

    The store has a group per protocol with the attribute `pairs`, the image ids (source, target) of each row, and
    what the method gives of: `image` (pairs, H, W, 3) uint8; `flow` (pairs, H, W, 2) float16, pixels, x then y, of
    no meaning on the background, and `visibility` (pairs, H, W) uint8, as `ImageStore.flow`; `share` (pairs, H, W)
    uint8, 255 where the image is all warped source.

    Raises:
        ReposeError: a pair is given twice, or the network's output is not finite.
    """
    images, root = ImageStore(store), zarr.create_group(out)
    for protocol, pairs in splits.items():
        if pairs.duplicated(PAIR).any():
            row = pairs[pairs.duplicated(PAIR)].iloc[0]
            raise ReposeError(f"the {protocol} pairs have {row.source_image} with {row.target_image} twice")
        rows = ImagePairs(images, pairs)
        batches = in_order(rows.images, len(rows), BATCH)
        parts: dict[str, list[NDArray]] = defaultdict(list)
        for batch in track(batches, len(batches), f"{label} {protocol}"):
            source, target, *joints = (x.to(device) for x in batch)
            told = (target,) if network.oracle else ()
            for name, values in _arrays(network(source, *joints, *told), label).items():
                parts[name].append(values)
        group = root.create_group(protocol, attributes={"pairs": pairs[PAIR].to_numpy().tolist()})
        for name, arrays in parts.items():
            values = np.concatenate(arrays)
            group.create_array(name, data=values, chunks=(min(BATCH, len(values)), *values.shape[1:]))


def _arrays(generated: GeneratedImage, label: str) -> dict[str, NDArray]:
    found: dict[str, NDArray] = {}
    for name, values in generated._asdict().items():
        if values is not None and not torch.isfinite(values).all():
            raise ReposeError(f"{label}: its {name} is no number")
    if generated.image is not None:
        found["image"] = unscaled(generated.image.float())
    if generated.flow is not None:
        found["flow"] = generated.flow.movedim(1, -1).cpu().numpy().astype(np.float16)
    if generated.visibility is not None:
        found["visibility"] = generated.visibility[:, 0].byte().cpu().numpy()
    if generated.share is not None:
        found["share"] = (generated.share[:, 0] * 255).round().byte().cpu().numpy()
    return found
