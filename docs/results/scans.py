"""Transfer between registered scans by the weights in the package, pairs drawn by a seed, against the scan itself.

python docs/results/scans.py FOLDER [PAIRS]

FOLDER has tr_reg_000.off to tr_reg_099.off, ten people in ten poses, and corres/*.vts, the vertices of each that
correspond: FAUST as Ren et al. (SIGGRAPH Asia 2018) have remeshed it, under FAUST's licence. Distances are in mm of
bodies of 1.8 m², middles of the corresponding vertices together. Before, it counts the scans whose feet say which way
they face: all but pose 8 face +z.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import repose
from repose.mesh.formats.asset import read_asset
from repose.mesh.mesh import Mesh
from repose.mesh.operators import face_areas
from repose.methods.canonical.feet import ahead_by_feet

AREA, SEED, ELSEWHERE = 1.8, 7, 8
PEOPLE = POSES = 10
Float = NDArray[np.float64]


class Scan(NamedTuple):
    """One scan: its file and mesh, and the places (K, 3) of the vertices that correspond, of a body of 1.8 m²."""

    file: Path
    mesh: Mesh
    corresponding: NDArray[np.integer]  # (K,)
    scale: float
    places: Float


def main(folder: Path, pairs: int) -> None:
    """What feet say; then a line per pair, and the mean, median and worst of all."""
    numbers = [10 * i + p for i in range(PEOPLE) for p in range(POSES) if p != ELSEWHERE]
    print("by feet:", said_by_feet(scan(file_of(folder, number)).mesh for number in numbers))
    model, draw, rows = repose.load("human"), np.random.default_rng(SEED), []
    print("identity pose  result  copy-pose  copy-identity  edge error")
    for _ in range(pairs):
        one, other = draw.choice(PEOPLE, 2, replace=False)
        pose, own = draw.choice(POSES, 2, replace=False)
        identity, posed, truth = (
            scan(file_of(folder, 10 * i + p)) for i, p in ((one, own), (other, pose), (one, pose))
        )
        done = model.transfer(identity.file, posed.file)
        result = done.vertices[identity.corresponding] * identity.scale
        found = [distance(places, truth.places) for places in (result, posed.places, identity.places)]
        rows.append([*found, done.edge_error])
        print(identity.file.stem[-3:], posed.file.stem[-3:], *np.round(rows[-1], 3), flush=True)
    for name, over in (("mean", np.mean), ("median", np.median), ("worst", np.max)):
        print(name, *np.round(over(rows, axis=0), 3))


def file_of(folder: Path, number: int) -> Path:
    """The file of a scan of FAUST."""
    return folder / f"tr_reg_{number:03d}.off"


def scan(file: Path) -> Scan:
    """A scan, with the vertices that its list in corres/ names."""
    mesh = read_asset(file).mesh
    vertices = np.asarray(mesh.vertices, np.float64)
    scale = float(np.sqrt(AREA / face_areas(vertices, mesh.faces).sum()))
    corresponding = np.loadtxt(file.parent / "corres" / f"{file.stem}.vts", dtype=int) - 1
    return Scan(file, mesh, corresponding, scale, vertices[corresponding] * scale)


def distance(one: Float, other: Float, turn: bool = False) -> float:
    """Mean distance of places (K, 3) and (K, 3), mm, middles together; with `turn`, after the best rotation."""
    a, b = (places - places.mean(axis=0) for places in (one, other))
    if turn:
        u, _, v = np.linalg.svd(a.T @ b)
        a = a @ u @ np.diag([1, 1, np.sign(np.linalg.det(u @ v))]) @ v
    return 1000 * float(np.linalg.norm(a - b, axis=1).mean())


def said_by_feet(bodies: Iterable[Mesh]) -> str:
    """Of upright bodies that face +z, how many feet say so, within 60 degrees, say nothing, or another way."""
    said = [ahead_by_feet(np.asarray(body.vertices, np.float64), body.faces) for body in bodies]
    ahead = [way[1] for way in said if way is not None]
    right = sum(z > 0.5 for z in ahead)
    return f"{right} of {len(said)} right, {len(said) - len(ahead)} say nothing, {len(ahead) - right} another way"


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50)
