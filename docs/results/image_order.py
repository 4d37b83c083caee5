"""Order the methods of a table of images by SSIM (7×7), and compare each with the one after it, pair by pair.

python docs/results/image_order.py results/table2.csv

The intervals are 95 % over the outfits of the test pairs, seeds averaged (`repose.tables.images.over_outfits`).
"""

import sys
from pathlib import Path

import pandas as pd

from repose.provenance.manifest import load, manifest_path
from repose.tables.images import over_outfits

PAIR = ["source_image", "target_image"]


def main(table: Path) -> None:
    """A line per method of each dataset, best first."""
    found: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for name, scores in load(manifest_path(table)).parents.items():
        kind, _, run = name.partition(":")
        if kind == "scores":
            dataset, method, _ = run.split("/")
            rows = pd.read_parquet(scores.with_name(scores.name.replace(".manifest.json", ".parquet")))
            found.setdefault(dataset, {}).setdefault(method, []).append(rows[rows.metric == "ssim_u7"])
    for dataset, methods in found.items():
        means = {m: pd.concat(s).groupby(PAIR).value.mean() for m, s in methods.items() if len(s[0])}
        order = sorted(means, key=lambda method: -means[method].mean())
        for method, after in zip(order, [*order[1:], None], strict=True):
            line = f"{dataset} {method}: {means[method].mean():.4f} ± {over_outfits(means[method]):.4f}"
            if after:
                gain = means[method] - means[after]
                line += f", {gain.mean():.4f} ± {over_outfits(gain):.4f} over {after}"
            print(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
