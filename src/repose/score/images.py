"""Score predicted images and flows: a row per test pair and metric."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr
from torch import Tensor

from repose.data.images import scaled
from repose.errors import ReposeError
from repose.images import metrics
from repose.images.attributes import attribute_vectors
from repose.images.skeleton import skeleton_mask
from repose.methods.scorers.image_scorer import ImageScorer
from repose.score.official import OfficialJudges, fashion_nats
from repose.store.image_store import ImageStore

PAIR = ["source_image", "target_image"]
RECALLS = (5, 20)
_BATCH = 32
_VISIBLE, _BACKGROUND = 0, 2


def score_images(
    predictions: Path,
    store: ImageStore,
    protocol: str,
    pairs: pd.DataFrame,
    scorer: ImageScorer | None = None,
    official: OfficialJudges | None = None,
) -> pd.DataFrame:
    """Compare the predictions of one protocol with the truth.

    What a method does not predict has no row, and neither has what cannot be measured on a pair: nothing is visible
    in both images, or photos come without a true flow.

    Args:
        predictions: of the stage `predict`.
        store: the images.
        protocol: which group of the predictions.
        pairs: the test pairs.
        scorer: what judges the clothes in drawn images, in evaluation mode; without it there are no `render_…` rows.
        official: the published judges; without them there are no rows `fashion_is_nats` and `attr_recall_…`.

    Returns:
        Columns protocol, source_image, target_image, metric, value; the unit is in the metric's name.

    Raises:
        ReposeError: the predictions are of other pairs than the split's.
    """
    group = zarr.open_group(predictions / protocol, mode="r")
    if group.attrs["pairs"] != pairs[PAIR].to_numpy().tolist():
        raise ReposeError(f"predictions are of other {protocol} pairs than the split's", where=predictions)
    rows = pairs[PAIR].map(store.index_of).to_numpy()
    parts, kinds, fashions = [], [], []
    for start in range(0, len(rows), _BATCH):
        chosen = slice(start, start + _BATCH)
        found = {name: torch.from_numpy(np.asarray(array[chosen])) for name, array in group.arrays()}
        values = _image_values(found, store, rows[chosen]) | _flow_values(found, store, rows[chosen])
        if scorer is not None and "image" in found:
            kinds.append(_judged(scorer, found["image"], store, rows[chosen], values))
        if official is not None and "image" in found:
            drawn = found["image"].numpy()
            values |= official.recalls(drawn, pairs.target_image.iloc[chosen].tolist())
            if (logits := official.logits(drawn)) is not None:
                fashions.append(logits)
        parts.append(pairs[PAIR].iloc[chosen].assign(**{k: v.numpy() for k, v in values.items()}))
    table = pd.concat(parts, ignore_index=True).assign(protocol=protocol)
    for name in kinds[0] if kinds else ():
        table[name] = metrics.surprise_nats(torch.cat([logits[name] for logits in kinds])).numpy()
    if fashions:
        drawn_pairs = pairs[PAIR].agg("_".join, axis=1).tolist()
        table["fashion_is_nats"] = fashion_nats(torch.cat(fashions), drawn_pairs).numpy()
    names = [name for name in table if name not in ("protocol", *PAIR)]
    long = table.melt(["protocol", *PAIR], names, var_name="metric", value_name="value")
    return long.dropna(ignore_index=True)


@torch.inference_mode()
def _judged(
    scorer: ImageScorer, image: Tensor, store: ImageStore, rows: np.ndarray, values: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Add recalls of attributes to `values`; return the logits that the inception scores are made of."""
    drawn = scaled(image.numpy())
    parts = torch.from_numpy(store.segmentation(rows[:, 1])).long()
    person = torch.where((parts > 0)[:, None], drawn, torch.full_like(drawn, -1.0))
    whole, cut = scorer(drawn, parts), scorer(person, parts)
    truth = torch.from_numpy(attribute_vectors(store.labels(rows[:, 1])))
    for k in RECALLS:
        values[f"render_attr_recall_{k}"] = metrics.recall_at(whole.attributes, truth, k).double()
    return {"render_is_nats": whole.kind.double(), "masked_render_is_nats": cut.kind.double()}


def _image_values(found: dict[str, Tensor], store: ImageStore, rows: np.ndarray) -> dict[str, Tensor]:
    if "image" not in found:
        return {}
    image, truth = found["image"].double(), torch.from_numpy(store.images(rows[:, 1])).double()
    person = torch.from_numpy(store.segmentation(rows[:, 1])) > 0
    skeletons = np.stack([skeleton_mask(joints, store.size) for joints in store.joints(rows[:, 1])])
    return {
        "ssim_u7": metrics.ssim_u7(image, truth),
        "ssim_g15": metrics.ssim_g15(image, truth),
        "masked_ssim_u7": metrics.masked_ssim_u7(image, truth, person),
        "skeleton_ssim_u7": metrics.cut_ssim_u7(image, truth, torch.from_numpy(skeletons)),
        "psnr_db": metrics.psnr_db(image, truth),
        "l1": metrics.mean_absolute(image, truth),
    }


def _flow_values(found: dict[str, Tensor], store: ImageStore, rows: np.ndarray) -> dict[str, Tensor]:
    if "flow" not in found or not all(_has_flow(store, *row) for row in rows.tolist()):
        return {}
    truths = [store.flow(*row) for row in rows.tolist()]
    truth = torch.from_numpy(np.stack([flow for flow, _ in truths])).double()
    seen = torch.from_numpy(np.stack([classes for _, classes in truths]))
    source, target = (torch.from_numpy(store.images(column)).double() for column in rows.T)
    flow = found["flow"].double()
    values = {
        "epe_px": metrics.end_point_error_px(flow, truth, seen < _BACKGROUND),
        "epe_visible_px": metrics.end_point_error_px(flow, truth, seen == _VISIBLE),
        "warp_psnr_db": metrics.warp_psnr_db(source, flow, target, seen == _VISIBLE),
        "exact_warp_psnr_db": metrics.warp_psnr_db(source, truth, target, seen == _VISIBLE),
    }
    if "visibility" in found:
        values["visibility_iou"] = metrics.visibility_iou(found["visibility"], seen).double()
    return values


def _has_flow(store: ImageStore, source: int, target: int) -> bool:
    return store.is_rendered or (store.image_ids[source], store.image_ids[target]) in store.pairs
