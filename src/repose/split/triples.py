"""Draw triples: an identity mesh, a pose mesh, and the truth, which is the identity in that pose.

As in the published lists, a triple is written `id3_17 id8_40 id3_40`. Both bodies and both poses of a triple
differ here, so that neither copying the identity mesh nor copying the pose mesh can be right.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repose.convert.catalog import mesh_id
from repose.errors import ReposeError

COLUMNS = ["identity_mesh", "pose_mesh", "truth_mesh", "role"]
TEST_ROLES = {"unseen": "test-unseen", "seen-pose": "test-seen"}
# Fixed numbers, so that adding a role never changes the draws of another.
_STREAM = {"train": 0, "val": 1, "test-unseen": 2, "test-seen": 3}


def draw_triples(
    identities: Sequence[int],
    poses: Sequence[int],
    count: int,
    role: str,
    seed: int,
) -> pd.DataFrame:
    """Draw `count` distinct triples over the given identities and poses.

    Raises:
        ReposeError: there are fewer than `count` such triples.
    """
    possible = len(identities) * (len(identities) - 1) * len(poses) * (len(poses) - 1)
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
        chosen[i, p, j, q] = None
    rows = [(mesh_id(i, p), mesh_id(j, q), mesh_id(i, q), role) for i, p, j, q in chosen]
    return pd.DataFrame(rows, columns=COLUMNS)


def write_list(triples: pd.DataFrame, path: Path) -> None:
    """Write the published text format: `identity.obj pose.obj truth.obj` a line."""
    names = triples[["identity_mesh", "pose_mesh", "truth_mesh"]] + ".obj"
    path.write_text("".join(" ".join(row) + "\n" for row in names.itertuples(index=False)), encoding="utf-8")
