"""Tables of person images: datasets × methods × protocols, mean over seeds with 95 % intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from repose.tables.transfer import Run, interval95, mean_known, six_digits

METRICS = (
    "ssim_u7",
    "ssim_g15",
    "masked_ssim_u7",
    "psnr_db",
    "l1",
    "epe_px",
    "epe_visible_px",
    "warp_psnr_db",
    "visibility_iou",
)
COLUMNS = [
    "dataset",
    "method",
    "protocol",
    "pairs",
    "seeds",
    *(f"{m}{s}" for m in METRICS for s in ("", "_ci95")),
    "ssim_u7_pairs_ci95",
    "parameters",
    "train_seconds",
    "peak_memory_mib",
    "run_ids",
]
_SHOWN = {
    "ssim_u7": "SSIM (7×7)",
    "ssim_g15": "SSIM (Gauss)",
    "masked_ssim_u7": "SSIM of the person",
    "psnr_db": "PSNR (dB)",
    "epe_px": "EPE (px)",
    "visibility_iou": "visibility IoU",
    "warp_psnr_db": "warp PSNR (dB)",
}


def image_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per dataset, method and protocol, in the order of `runs`.

    `…_ci95` is the half width of the 95 % interval of the mean over seeds; `ssim_u7_pairs_ci95` of that over the
    test pairs, seeds averaged. What a method does not predict is empty. Of the published systems no value is
    verified (spec/intrinsic-flow.md), so that none stands here.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.method), []).append(run)
    rows = []
    for (dataset, method), members in groups.items():
        for protocol in members[0].scores.protocol.unique():
            row: dict[str, Any] = {"dataset": dataset, "method": method, "protocol": protocol}
            row |= {"seeds": len(members)} | _summary(members, protocol)
            row |= {
                "parameters": members[0].parameters,
                "train_seconds": mean_known([r.train_seconds for r in members], 1),
                "peak_memory_mib": mean_known([r.peak_memory_mib for r in members], 0),
                "run_ids": ";".join(r.run_id for r in members),
            }
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _summary(members: Sequence[Run], protocol: str) -> dict[str, Any]:
    tables = [run.scores[run.scores.protocol == protocol] for run in members]
    row: dict[str, Any] = {"pairs": len(tables[0][["source_image", "target_image"]].drop_duplicates())}
    for metric in METRICS:
        means = np.array([table.value[table.metric == metric].mean() for table in tables])
        row[metric] = six_digits(means.mean())
        row[f"{metric}_ci95"] = six_digits(interval95(means))
    similar = [table[table.metric == "ssim_u7"] for table in tables]
    by_pair = pd.concat(similar).groupby(["source_image", "target_image"]).value.mean()
    return row | {"ssim_u7_pairs_ci95": six_digits(interval95(by_pair.to_numpy()))}


def markdown(table: pd.DataFrame) -> str:
    """The columns a reader looks at first, as a Markdown table; SSIM with its interval over pairs."""
    head = ["dataset", "method", "protocol", *_SHOWN.values(), "train (s)"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|" + "---:|" * (len(_SHOWN) + 1)]
    for row in table.to_dict("records"):
        cells = [_cell(row, metric) for metric in _SHOWN]
        seconds = "–" if pd.isna(row["train_seconds"]) else f"{row['train_seconds']:.0f}"
        lines.append(
            "| " + " | ".join([row["dataset"], row["method"], row["protocol"], *cells, seconds]) + " |"
        )
    return "\n".join(lines) + "\n"


def _cell(row: dict[Any, Any], metric: str) -> str:
    if pd.isna(row[metric]):
        return "–"
    width = row["ssim_u7_pairs_ci95"] if metric == "ssim_u7" else row[f"{metric}_ci95"]
    return f"{row[metric]:.4g}" if pd.isna(width) else f"{row[metric]:.4g} ± {width:.2g}"
