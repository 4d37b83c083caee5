"""Tables of person images: datasets × methods × protocols, mean over seeds with 95 % intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from repose.images.inception_splits import FASHION_SPLITS, in_splits
from repose.tables.runs import (
    COSTS,
    PLACE,
    Run,
    cell,
    interval95,
    markdown_table,
    mean_and_interval,
    six_digits,
    summaries,
)

METRICS = (
    "ssim_u7",
    "ssim_g15",
    "masked_ssim_u7",
    "skeleton_ssim_u7",
    "psnr_db",
    "l1",
    "render_is",
    "masked_render_is",
    "render_attr_recall_5",
    "render_attr_recall_20",
    "fashion_is",
    "attr_recall_5",
    "attr_recall_20",
    "epe_px",
    "epe_visible_px",
    "warp_psnr_db",
    "exact_warp_psnr_db",
    "visibility_iou",
)
# Inception scores, and over how many splits they are means; of them, scores hold the logarithm, pair by pair.
_INCEPTION = {"render_is": 1, "masked_render_is": 1, "fashion_is": FASHION_SPLITS}
OVER_FIRST = (
    "ssim_u7_gain",
    "ssim_u7_gain_ci95",
)  # take the scores of the first method of their dataset, too
COLUMNS = [
    *PLACE,
    "pairs",
    "seeds",
    *(f"{m}{s}" for m in METRICS for s in ("", "_ci95")),
    "ssim_u7_pairs_ci95",
    *OVER_FIRST,
    *COSTS,
    "run_ids",
]
_SHOWN = {
    "ssim_u7": "SSIM (7×7)",
    "ssim_u7_gain": "gain",
    "ssim_g15": "SSIM (Gauss)",
    "masked_ssim_u7": "SSIM of the person",
    "skeleton_ssim_u7": "masked SSIM",
    "psnr_db": "PSNR (dB)",
    "render_is": "RenderIS",
    "render_attr_recall_5": "RenderAttrRec-5",
    "render_attr_recall_20": "RenderAttrRec-20",
    "fashion_is": "FashionIS",
    "attr_recall_5": "AttrRec-5",
    "attr_recall_20": "AttrRec-20",
    "epe_px": "EPE (px)",
    "visibility_iou": "visibility IoU",
    "warp_psnr_db": "warp PSNR (dB)",
}
_PAIR = ["source_image", "target_image"]


def image_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs`.

    `…_ci95` is the half width of the 95 % interval of the mean over seeds; `ssim_u7_pairs_ci95` of that over the
    test pairs, seeds averaged. `ssim_u7_gain` is how much more a method has than the first one of its dataset, with
    its interval over the same pairs. What a method does not predict is empty. Of the published systems no value is
    verified (spec/intrinsic-flow.md), so that none stands here.
    """
    similar: dict[tuple[str, str], pd.Series] = {}
    rows = []
    for row in summaries(runs, _summary):
        by_pair = row.pop("by_pair")
        first = similar.setdefault((row["dataset"], row["protocol"]), by_pair)
        gain = (by_pair - first).to_numpy()
        row["ssim_u7_pairs_ci95"] = six_digits(interval95(by_pair.to_numpy()))
        row |= mean_and_interval("ssim_u7_gain", gain) if len(gain) else {}
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _summary(scores: Sequence[pd.DataFrame]) -> dict[str, Any]:
    row: dict[str, Any] = {"pairs": len(scores[0][_PAIR].drop_duplicates())}
    for metric in METRICS:
        row |= mean_and_interval(metric, np.array([_mean(table, metric) for table in scores]))
    similar = [table[table.metric == "ssim_u7"] for table in scores]
    return row | {"by_pair": pd.concat(similar).groupby(_PAIR).value.mean()}


def _mean(scores: pd.DataFrame, metric: str) -> float:
    if metric not in _INCEPTION:
        return scores.value[scores.metric == metric].mean()
    rows = scores[scores.metric == f"{metric}_nats"]
    if rows.empty:
        return float("nan")
    nats = rows.value.to_numpy()
    splits = in_splits((rows.source_image + "_" + rows.target_image).tolist(), _INCEPTION[metric])
    return float(np.mean([np.exp(nats[split].mean()) for split in splits]))


def markdown(table: pd.DataFrame) -> str:
    """The columns a reader looks at first, as a Markdown table; SSIM and gain with their intervals over pairs."""
    shown = {metric: title for metric, title in _SHOWN.items() if table[metric].notna().any()}
    return markdown_table(table, list(shown.values()), lambda row: [_cell(row, metric) for metric in shown])


def _cell(row: dict[Any, Any], metric: str) -> str:
    width = "ssim_u7_pairs_ci95" if metric == "ssim_u7" else f"{metric}_ci95"
    return cell(row[metric], row[width])
