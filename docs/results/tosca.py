"""Transfer between poses of one animal or person of TOSCA by the weights in the package, against the other pose.

python docs/results/tosca.py FOLDER

FOLDER has cat0.off to wolf2.off and corres/*.vts: TOSCA as Ren et al. (SIGGRAPH Asia 2018) have remeshed it. Distances
are in mm of bodies of 1.8 m², after the best rigid motion. `ratio` is how many times as badly the body the other way
round fits; below 1.2 `repose transfer` says so.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from scans import distance, scan

import repose
from repose.use.transfer.command import AMBIGUOUS

SEED = 3
PAIRS = {
    "animal": {"cat": 6, "dog": 6, "horse": 6, "wolf": 2},
    "human": {"michael": 5, "david": 4, "victoria": 5},
}


def main(folder: Path) -> None:
    """A line per pair, the means of each kind, and how many are worse than the identity as it is."""
    names = defaultdict(list)
    for file in sorted(folder.glob("*.off")):
        if (folder / "corres" / f"{file.stem}.vts").exists():
            names[re.sub(r"\d+", "", file.stem)].append(file.stem)
    draw = np.random.default_rng(SEED)
    for kind, bodies in PAIRS.items():
        print(f"{kind}: identity pose  result  copy-identity  ratio")
        rows = []
        for one, other in (
            draw.choice(names[body], 2, replace=False) for body, count in bodies.items() for _ in range(count)
        ):
            rows.append(compared(kind, folder / f"{one}.off", folder / f"{other}.off"))
            print(one, other, *np.round(rows[-1], 2), flush=True)
        ours, still, ratio = np.array(rows).T
        print(
            f"{kind}: {len(rows)} pairs, mean {ours.mean():.0f} mm, median {np.median(ours):.0f}, worst "
            f"{ours.max():.0f}; copy-identity {still.mean():.0f}; worse than that {(ours > still).sum()}; "
            f"beyond 200 mm {(ours > 200).sum()}, of these named {((ours > 200) & (ratio < AMBIGUOUS)).sum()} "
            f"of {(ratio < AMBIGUOUS).sum()} named"
        )


def compared(kind: str, identity: Path, pose: Path) -> list[float]:
    """The distances of the result and of the identity as it is from the truth, and `runner_up_ratio`."""
    own, posed = scan(identity), scan(pose)
    done = repose.load(kind).transfer(identity, pose)
    count = min(len(own.places), len(posed.places))
    result = done.vertices[own.corresponding] * own.scale
    found = [distance(places[:count], posed.places[:count], turn=True) for places in (result, own.places)]
    return [*found, done.outcome.runner_up_ratio]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
