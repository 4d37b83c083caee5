"""Draw triples: an identity mesh, a pose mesh, and the truth, which is the identity in that pose.

As in the published lists, a triple is written `id3_17 id8_40 id3_40`. Both bodies and both poses of a triple differ, so
neither copying the identity mesh nor copying the pose mesh can be right. A set may be incomplete: only meshes that
exist are drawn. If equal pose numbers are not the same pose, there is no truth.
"""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from repose.columns import TRIPLE
from repose.convert.catalog import mesh_id
from repose.errors import ReposeError

COLUMNS = [*TRIPLE, "role"]
TEST_ROLES = {
    "unseen": "test-unseen",
    "seen-pose": "test-seen",
    "one-source": "test-one-source",
    "bent": "test-bent",
    "straight": "test-straight",
}
# Fixed numbers, so that adding a role never changes the draws of other roles.
_STREAM = {
    "train": 0,
    "val": 1,
    "test-unseen": 2,
    "test-seen": 3,
    "test-one-source": 4,
    "test-bent": 5,
    "test-straight": 6,
}


@dataclass(frozen=True)
class Meshes:
    """The available meshes, and whether identity i in pose q is the truth of transferring pose q to i."""

    pairs: Set[tuple[int, int]]  # (identity, pose)
    has_truth: bool = True


def draw_triples(
    meshes: Meshes, identities: Sequence[int], poses: Sequence[int], count: int, role: str, seed: int
) -> pd.DataFrame:
    """Draw `count` distinct triples over the given identities and poses, each equally likely.

    Returns:
        Columns `COLUMNS`; the truth is None in a set without truth.

    Raises:
        ReposeError: there are fewer than `count` such triples.
    """
    there = {(i, p) for i in identities for p in poses} & meshes.pairs
    possible = _count(there, meshes.has_truth)
    if count > possible:
        raise ReposeError(
            f"{count} {role} triples wanted, {len(identities)} identities × {len(poses)} poses give {possible}",
            hint="ask for fewer pairs or more identities and poses",
        )
    rng = np.random.default_rng([seed, _STREAM[role]])
    chosen: dict[tuple[int, int, int, int], None] = {}
    while len(chosen) < count:
        i, j = (int(identities[k]) for k in rng.choice(len(identities), 2, replace=False))
        p, q = (int(poses[k]) for k in rng.choice(len(poses), 2, replace=False))
        if (i, p) in there and (j, q) in there and (not meshes.has_truth or (i, q) in there):
            chosen[i, p, j, q] = None
    rows = [
        (mesh_id(i, p), mesh_id(j, q), mesh_id(i, q) if meshes.has_truth else None, role)
        for i, p, j, q in chosen
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def one_source_triples(
    meshes: Meshes, source: int, identities: Sequence[int], poses: Sequence[int], count: int, seed: int
) -> pd.DataFrame:
    """Draw distinct triples whose pose mesh is always of `source`: `count` of them, or all if there are fewer.

    The identity mesh, if a method uses it, is in another of the poses.

    Raises:
        ReposeError: the source is in none of the poses, or there is no truth.
    """
    role = TEST_ROLES["one-source"]
    rng = np.random.default_rng([seed, _STREAM[role]])

    def others_of(i: int, q: int) -> list[int]:
        return [p for p in poses if p != q and (i, p) in meshes.pairs]

    possible = [
        (i, q)
        for i in identities
        for q in poses
        if i != source and {(i, q), (source, q)} <= meshes.pairs and meshes.has_truth and others_of(i, q)
    ]
    rows = []
    for k in rng.permutation(len(possible))[:count]:
        i, q = possible[k]
        own = int(rng.choice(others_of(i, q)))
        rows.append((mesh_id(i, own), mesh_id(source, q), mesh_id(i, q), role))
    if not rows:
        raise ReposeError(f"identity {source} is in no pose of the test, or there is no truth for it")
    return pd.DataFrame(rows, columns=COLUMNS)


def _count(there: Set[tuple[int, int]], has_truth: bool) -> int:
    """Return how many triples of two identities and two poses exist."""
    poses_of, identities_of = Counter(i for i, _ in there), Counter(p for _, p in there)
    if has_truth:  # a truth (i, q), another pose of i, another identity in q
        return sum((poses_of[i] - 1) * (identities_of[q] - 1) for i, q in there)
    # Two meshes, without pairs of one identity or of one pose; a mesh with itself was subtracted twice.
    pairs = len(there) ** 2 - sum(n * n for n in (*poses_of.values(), *identities_of.values()))
    return pairs + len(there)


def write_list(triples: pd.DataFrame, path: Path) -> None:
    """Write the published text format, `identity.obj pose.obj truth.obj` per line; without a truth, two names."""
    names = triples[TRIPLE].itertuples(index=False)
    lines = (" ".join(f"{name}.obj" for name in row if name) + "\n" for row in names)
    path.write_text("".join(lines), encoding="utf-8")
