"""Draw docs/pictures/budgets.png: the error of every training of docs/results/budgets.yaml against what it took.

python docs/pictures/budgets.py results/budgets.csv
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from repose.provenance.publish import publish

LINES = {
    "npt": "NPT",
    "corenet": "3D-CoreNet",
    "corenet-icp": "3D-CoreNet, then finish: icp",
}
STEPS = ["quarter", "", "x4", "x16"]
BASELINES = {
    "copy-pose": "copy the pose mesh (told which vertices correspond)",
    "rotations": "its rotations (told, too)",
}


def main(csv: Path) -> None:
    """PMD of unseen identities in unseen poses, with its interval, by the seconds of one core that a training took."""
    table = pd.read_csv(csv).query("protocol == 'unseen'").set_index("method")
    figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, title in LINES.items():
        base, _, finish = name.partition("-")
        names = ["-".join(part for part in (base, step, finish) if part) for step in STEPS]
        rows = table.loc[[n for n in names if n in table.index]]
        seconds = table.train_seconds[[n.removesuffix("-icp") for n in rows.index]]
        axis.errorbar(seconds, rows.pmd_e4, rows.pmd_e4_ci95, marker="o", capsize=3, label=title)
    for (name, title), style in zip(BASELINES.items(), ("--", ":"), strict=True):
        axis.axhline(table.pmd_e4[name], color="grey", linestyle=style, linewidth=1, label=title)
    axis.set(xscale="log", yscale="log", xlabel="training, seconds of one core", ylabel="PMD, 1e-4 m²")
    axis.legend(fontsize=8)
    with publish(Path(__file__).with_name("budgets.png")) as private:
        figure.savefig(private, format="png", dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
