"""Draw docs/pictures/iepgan-curves.png: the terms of the loss, and validation, of runs of IEP-GAN.

python docs/pictures/iepgan_curves.py results/runs/open-human/{iepgan,iepgan-no-gih}/seed0
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from repose.provenance.publish import publish

PANELS = {
    "validation PMD, 1e-4 m²": ("val_pmd_m2", 1e4),
    "edge loss": ("train_edge", 1),
    "distances along patches, cm²": ("train_gih", 1e4),
    "generator against discriminator": ("train_adversarial", 1),
    "discriminator of meshes": ("train_discriminator", 1),
    "discriminator of patches": ("train_cooccurrence_discriminator", 1),
}
UNDECIDED = {"generator against discriminator": 0.693, "discriminator of meshes": 1.386,
             "discriminator of patches": 1.386}  # losses of one that cannot tell  # fmt: skip


def main(runs: list[Path]) -> None:
    """A panel per quantity, a line per run; means of the steps between two validations."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 6), sharex=True, layout="constrained")
    for axis, (title, (column, factor)) in zip(axes.flat, PANELS.items(), strict=True):
        for run in runs:
            history = pd.read_parquet(run / "history.parquet")
            if column in history:
                axis.plot(history.step, history[column] * factor, marker=".", label=run.parts[-2])
        if title in UNDECIDED:
            axis.axhline(UNDECIDED[title], color="grey", linestyle=":", linewidth=1)
        axis.set_title(title, fontsize=10)
    for axis in axes[1]:
        axis.set_xlabel("step")
    axes[0, 0].legend(fontsize=8)
    with publish(Path(__file__).with_name("iepgan-curves.png")) as private:
        figure.savefig(private, format="png", dpi=80)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
