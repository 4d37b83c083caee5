"""Transfer between validation bodies of the open datasets by the weights in the package, and what their feet say.

python docs/results/open_pairs.py [PERCENT]

Bodies of seed 5, which the weights have not seen, are made here (Anny is read). Of each kind there are 30 pairs: the
identity as its dataset has it, the pose mesh varied as trainings vary theirs, every second under a heading, the others
under any rotation. Distances are in mm, after the best rigid motion. With a percentage only people are seen, of whose
poses so many bend far.
"""

import sys
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from kind_fit import IDENTITIES, POSES, VERTICES
from open_bodies import KINDS, OpenBodies
from scans import distance, said_by_feet
from scipy.spatial.transform import Rotation

import repose
from repose.mesh.frame import Answer, Frame
from repose.mesh.mesh import Mesh
from repose.mesh.operators import unique_edges
from repose.mesh.variation import varied
from repose.methods.canonical.matching import CandidateFrames, matched
from repose.use.transfer.body import Body
from repose.use.transfer.command import AMBIGUOUS
from repose.use.transfer.matching import Matcher
from repose.use.transfer.run import transfer

SEED, DRAW, PAIRS, BODIES, IN_POSES = 5, 4, 30, 8, 20
SHORTEST = 1e-5  # of an edge, where the surface has the area 1
WRONG = 0.12  # of the side of the square that is as large as the body, of a warp
_UPRIGHT = Frame(Answer("y", "given", "a dataset's"), Answer("m", "given", "a dataset's"))


class Pair(NamedTuple):
    """Two bodies, and the vertices (N, 3) of the first in the pose of the second."""

    identity: Mesh
    pose: Mesh
    truth: np.ndarray


def main(deep: int = 0) -> None:
    """For each kind what feet say, and how far off transfers and warps are."""
    for name in ("human",) if deep else KINDS:
        print(f"{name}, by feet:", said_by_feet(upright(name, deep)))
        print(f"{name} with other triangles, by feet:", said_by_feet(upright(name, deep, vary=True)))
        rows = np.array([compared(name, pair) for pair in pairs(name, deep)])
        found, stretched, done, ratio = rows.T
        print(
            f"{name}: {PAIRS} pairs, mean {done.mean():.1f} mm, median {np.median(done):.1f}, worst {done.max():.0f}; "
            f"warps wrong: {(found > WRONG).sum()}, by stretch alone {(stretched > WRONG).sum()}; "
            f"{(ratio < AMBIGUOUS).sum()} named as near the other way round",
            flush=True,
        )


def upright(name: str, deep: int, vary: bool = False) -> Iterator[Mesh]:
    """Bodies of one kind that face +z."""
    some, draw = OpenBodies.drawn(name, VERTICES, IDENTITIES, POSES, SEED, deep), np.random.default_rng(DRAW)
    for vertices in np.concatenate([some.meshes(i, range(POSES)) for i in range(IDENTITIES)]):
        yield Mesh(*varied(vertices, some.faces, draw)[:2]) if vary else Mesh(vertices, some.faces)


def pairs(name: str, deep: int) -> Iterator[Pair]:
    """Pairs of validation bodies of one kind."""
    some, draw = OpenBodies.drawn(name, VERTICES, BODIES, IN_POSES, SEED, deep), np.random.default_rng(DRAW)
    for number in range(PAIRS):
        one, other = draw.choice(BODIES, 2, replace=False)
        own, posed = draw.choice(IN_POSES, 2, replace=False)
        if number % 2:
            turn = Rotation.random(random_state=draw)
        else:
            turn = Rotation.from_euler("y", draw.uniform(0, 360), degrees=True)
        body, seen, truth = (some.meshes(i, [p])[0] for i, p in ((one, own), (other, posed), (one, posed)))
        points, triangles, _ = varied(seen, some.faces, draw)
        yield Pair(Mesh(body, some.faces), Mesh(turn.apply(points), triangles), truth)


def compared(name: str, pair: Pair) -> list[float]:
    """How far off the warp that is taken and the one least stretched are, of the side; the result, mm; the ratio."""
    model = repose.load(name).model
    matcher = Matcher(model.inference)
    identity, pose = (Body.of(mesh, _UPRIGHT) for mesh in (pair.identity, pair.pose))
    warp = transfer(identity, pose, model, matcher=matcher).upright
    done = transfer(identity, pose, model, finish="icp", matcher=matcher)
    least = (
        least_stretched(matcher.candidate_frames(identity), matcher.candidate_frames(pose)) * identity.side
    )
    warped, stretched, result = (distance(x, pair.truth, turn=True) for x in (warp, least, done.upright))
    return [warped / 1000 / identity.side, stretched / 1000 / identity.side, result, done.runner_up_ratio]


def least_stretched(identity: CandidateFrames, pose: CandidateFrames) -> np.ndarray:  # (N, 3)
    """The identity on the pose mesh by the candidates that stretch it least, whatever error is predicted, at area 1."""
    edges = unique_edges(identity.coarse_faces)

    def lengths(vertices: np.ndarray) -> np.ndarray:
        return np.maximum(np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1), SHORTEST)

    def stretch(warp: np.ndarray) -> float:
        return float(np.abs(np.log(lengths(warp) / lengths(identity.coarse))).mean())

    found = (
        matched(*pair, pose.coarse_faces).places for pair in product(identity.candidates, pose.candidates)
    )
    return min((places.interpolate(pose.coarse, pose.coarse_faces) for places in found), key=stretch)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
