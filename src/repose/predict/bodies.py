"""The bodies that poses are made up for, and their true poses, as a split has them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from repose.convert.catalog import mesh_id
from repose.data.unlabelled import Numbers
from repose.errors import ReposeError
from repose.protocols import NEW_BODY, OWN_BODY
from repose.store.mesh_store import MeshStore


@dataclass(frozen=True)
class Known:
    """Rows of one identity in a store."""

    identity: int
    training: np.ndarray  # in the training poses
    held_out: np.ndarray  # in the test poses


def bodies_of(
    store: MeshStore, splits: Mapping[str, pd.DataFrame], source: int | None = None
) -> dict[str, list[Known]]:
    """By protocol: `own-body`, the one that was learned from, and `new-body`, the test identities.

    Args:
        store: packed meshes.
        splits: the parts `train` and `unseen`.
        source: the identity that was learned from; None: the first training identity.

    Raises:
        ReposeError: a body is in no training pose, or in no test pose.
    """
    triples = splits["train"]
    learned, test = Numbers.seen_in(triples[triples.role == "train"]), Numbers.seen_in(splits["unseen"])
    own = min(learned.identities) if source is None else source

    def known(identity: int) -> Known:
        rows = []
        for what, poses in (("training", learned.poses), ("test", test.poses)):
            names = (mesh_id(identity, pose) for pose in sorted(poses))
            rows.append(np.array([store.index_of(name) for name in names if name in store], dtype=np.int64))
            if not len(rows[-1]):
                raise ReposeError(f"identity {identity} is in no {what} pose", store.path)
        return Known(identity, *rows)

    return {OWN_BODY: [known(own)], NEW_BODY: [known(i) for i in sorted(test.identities - {own})]}
