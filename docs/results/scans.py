"""Transfer between registered scans by the weights in the package, pairs drawn by a seed, against the scan itself.

python docs/results/scans.py FOLDER [PAIRS]

FOLDER has tr_reg_000.off to tr_reg_099.off, ten people in ten poses, and corres/*.vts, the vertices of each that
correspond: FAUST as Ren et al. (SIGGRAPH Asia 2018) have remeshed it, under FAUST's licence. Distances are in mm of
bodies of 1.8 m², middles of the corresponding vertices together.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import repose
from repose.mesh.formats.asset import read_asset
from repose.mesh.operators import face_areas

AREA, SEED = 1.8, 7


class Scan(NamedTuple):
    """One scan: its file, and the places (K, 3) of the vertices that correspond, of a body of 1.8 m²."""

    file: Path
    corresponding: NDArray[np.integer]  # (K,)
    scale: float
    places: NDArray[np.float64]


def main(folder: Path, pairs: int) -> None:
    """A line per pair, and the mean, median and worst of all."""
    model, draw, rows = repose.load("human"), np.random.default_rng(SEED), []
    print("identity pose  result  copy-pose  copy-identity  edge error")
    for _ in range(pairs):
        one, other = draw.choice(10, 2, replace=False)
        pose, own = draw.choice(10, 2, replace=False)
        identity, posed, truth = (
            scan(folder, 10 * i + p) for i, p in ((one, own), (other, pose), (one, pose))
        )
        done = model.transfer(identity.file, posed.file)
        result = done.vertices[identity.corresponding] * identity.scale
        found = [distance(places, truth.places) for places in (result, posed.places, identity.places)]
        rows.append([*found, done.edge_error])
        print(identity.file.stem[-3:], posed.file.stem[-3:], *np.round(rows[-1], 3), flush=True)
    for name, over in (("mean", np.mean), ("median", np.median), ("worst", np.max)):
        print(name, *np.round(over(rows, axis=0), 3))


def scan(folder: Path, number: int) -> Scan:
    """A scan by its number."""
    file = folder / f"tr_reg_{number:03d}.off"
    mesh = read_asset(file).mesh
    vertices = np.asarray(mesh.vertices, np.float64)
    scale = float(np.sqrt(AREA / face_areas(vertices, mesh.faces).sum()))
    corresponding = np.loadtxt(folder / "corres" / f"{file.stem}.vts", dtype=int) - 1
    return Scan(file, corresponding, scale, vertices[corresponding] * scale)


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Mean distance of places (K, 3) and (K, 3), mm."""
    apart = one - one.mean(axis=0) - other + other.mean(axis=0)
    return 1000 * float(np.linalg.norm(apart, axis=1).mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50)
