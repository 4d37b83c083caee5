"""Draw docs/pictures/budgets.png: the error of every training of docs/results/budgets.yaml against what it took.

python docs/pictures/budgets.py results/budgets.csv
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from repose.config.load import load_files
from repose.provenance.publish import publish

ROOT = Path(__file__).parents[2]
DATASET, STEPS = "open-human", ["", "-x1", "-x4", "-x16"]
# What a curve is called: how the names of its trainings begin, and the method of `paper.yaml` that they stand for.
LINES = {
    "NPT": ("npt", "npt"),
    "3D-CoreNet": ("corenet", "corenet"),
    "MAPConNet, supervised": ("mapconnet", "mapconnet-supervised"),
    "NPR": ("npr", "npr"),
    "IEP-GAN": ("iepgan", "iepgan"),
}
BASELINES = {
    "copy-pose": "copy the pose mesh (told which vertices correspond)",
    "rotations": "its rotations (told, too)",
}


def main(csv: Path) -> None:
    """PMD of unseen identities in unseen poses, with its interval, by the seconds of one core that a training took."""
    table = pd.read_csv(csv).query(f"dataset == '{DATASET}' and protocol == 'unseen'").set_index("method")
    ours = ROOT / "config.yaml"
    run = load_files(ours, ROOT / "docs/results/budgets.yaml")
    paper = load_files(ours, ROOT / "workflow/presets/paper.yaml")
    figure, axis = plt.subplots(figsize=(8, 5.4), layout="constrained")
    for title, (name, published) in LINES.items():
        rows = table.reindex([name + step for step in STEPS]).dropna(subset=["pmd_e4"])
        shown = axis.errorbar(
            rows.train_seconds, rows.pmd_e4, rows.pmd_e4_ci95, marker="o", capsize=3, linestyle="none"
        )
        power, factor = np.polyfit(np.log(rows.train_seconds), np.log(rows.pmd_e4), 1)
        far = rows.train_seconds.iloc[-1] * _seen(paper, published) / _seen(run, rows.index[-1])
        seconds = np.array([rows.train_seconds.iloc[0], rows.train_seconds.iloc[-1], far])
        fit, colour = np.exp(factor) * seconds**power, shown.lines[0].get_color()
        axis.plot(seconds[:2], fit[:2], color=colour, label=f"{title}: seconds to the {power:.2f}")
        axis.plot(seconds[1:], fit[1:], color=colour, linestyle=":", marker="x", markevery=[1])
    for (name, title), style in zip(BASELINES.items(), ("--", "-."), strict=True):
        axis.axhline(table.pmd_e4[name], color="grey", linestyle=style, linewidth=1, label=title)
    axis.set(xscale="log", yscale="log", xlabel="training, seconds of one core", ylabel="PMD, 1e-4 m²")
    axis.set_title(
        "× is as many vertices as the published training sees; the dotted way there is not measured", size=9
    )
    figure.legend(fontsize=8, loc="outside lower center", ncols=2)
    with publish(Path(__file__).with_name("budgets.png")) as private:
        figure.savefig(private, format="png", dpi=110)


def _seen(config, method: str) -> float:
    """How many vertices of bodies a training sees."""
    training = config.methods[method].training
    points = getattr(training, "points", None) or config.datasets[DATASET].vertices
    return training.steps * training.batch * points


if __name__ == "__main__":
    main(Path(sys.argv[1]))
