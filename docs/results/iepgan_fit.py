"""Compare constants of IEP-GAN's stretch fit, without a network, on the validation triples of a finished run.

python docs/results/iepgan_fit.py results open-human open-animal

Prints the mean PMD (1e-4 m²) of every choice: in the size that the untrained network gives, and in the size that fits
the truth best, so that proportions alone count. The last column is the geometric mean of the latter over the datasets.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from repose.data.meshes import Triples
from repose.mesh.metrics import bbox_centred, pmd
from repose.methods.iepgan import stretch
from repose.methods.iepgan.encoder import spacings_of
from repose.store.mesh_store import MeshStore

NEAREST, RIDGES, OUTLIERS = (6, 8, 12), (0.1, 0.3, 1.0), (0.1, 0.2, 0.4, np.inf)


def main(results: Path, datasets: list[str]) -> None:
    """One line per choice; the first is no stretch at all."""
    torch.set_num_threads(1)
    meshes = {name: validation(results, name) for name in datasets}
    print(
        "nearest ridge outlier", *(f"{name} {size}" for name in datasets for size in ("own", "best")), "mean"
    )
    still = [
        errors(*mesh, torch.zeros(*mesh[0].shape[:2], 6), near_of(*mesh[:2], 8)) for mesh in meshes.values()
    ]
    show(("-", "-", "-"), still)
    for count in NEAREST:
        near = {name: near_of(*mesh[:2], count) for name, mesh in meshes.items()}
        for ridge, outlier in product(RIDGES, OUTLIERS):
            stretch._RIDGE, stretch._OUTLIER = ridge, outlier
            found = []
            for name, (identity, pose, truth) in meshes.items():
                fit = stretch.measured_stretch(unit(identity), unit(pose), near[name])
                found.append(errors(identity, pose, truth, fit, near[name]))
            show((count, ridge, outlier), found)


def validation(results: Path, dataset: str) -> tuple[Tensor, Tensor, Tensor]:
    """Identity, pose and truth (T, V, 3) of the validation triples."""
    splits = pd.read_parquet(results / "splits" / dataset / "train.parquet")
    triples = Triples(MeshStore(results / "data" / dataset / "meshes.zarr"), splits[splits.role == "val"])
    return triples.batch(np.arange(len(triples)), np.random.default_rng(0))[:3]


def size(mesh: Tensor) -> Tensor:
    """What the untrained network takes for the size of each mesh, (T, 1, 1)."""
    return spacings_of(mesh)[:, :1, None].exp()


def unit(mesh: Tensor) -> Tensor:
    """Each mesh in units of its size."""
    return mesh / size(mesh)


def near_of(identity: Tensor, pose: Tensor, count: int) -> Tensor:
    """The near vertices (T, V, count)."""
    stretch._NEAREST = count
    return stretch.nearest(unit(identity), unit(pose))


def errors(identity: Tensor, pose: Tensor, truth: Tensor, fit: Tensor, near: Tensor) -> tuple[float, float]:
    """Mean PMD in the untrained network's size, and in the best one."""
    out = stretch.stretched(unit(pose), fit, near)
    centred, there = bbox_centred(out), bbox_centred(truth)
    best = (centred * there).sum((1, 2), keepdim=True) / centred.square().sum((1, 2), keepdim=True)
    own, fitted = (float(pmd(out * s, truth).mean()) * 1e4 for s in (size(identity), best))
    return own, fitted


def show(choice: tuple[object, ...], found: list[tuple[float, float]]) -> None:
    """One line of the table."""
    mean = np.exp(np.mean([np.log(best) for _, best in found]))
    print(*choice, *(f"{x:.2f}" for pair in found for x in pair), f"{mean:.2f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
