"""The bodies that poses are generated for, and their true poses, according to a split."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from repose.data.unlabelled import Numbers
from repose.errors import ReposeError
from repose.protocols import NEW_BODY, OWN_BODY
from repose.store.mesh_store import MeshStore


@dataclass(frozen=True)
class IdentityRows:
    """Rows of one identity in a store."""

    identity: int
    training: np.ndarray  # in the training poses
    held_out: np.ndarray  # in the test poses


def bodies_of(
    store: MeshStore, splits: Mapping[str, pd.DataFrame], source: int | None = None
) -> dict[str, list[IdentityRows]]:
    """Return the bodies by protocol: `own-body` is the training body, and `new-body` the test identities.

    Args:
        store: packed meshes.
        splits: the parts `train` and `unseen`.
        source: the identity that the method learned from; None: the first training identity.

    Raises:
        ReposeError: a body is in no training pose, or in no test pose.
    """
    triples = splits["train"]
    learned, test = Numbers.seen_in(triples[triples.role == "train"]), Numbers.seen_in(splits["unseen"])
    own = min(learned.identities) if source is None else source

    def rows_of(identity: int) -> IdentityRows:
        found = IdentityRows(identity, learned.rows(store, identity), test.rows(store, identity))
        for what, rows in (("training", found.training), ("test", found.held_out)):
            if not len(rows):
                raise ReposeError(f"identity {identity} is in no {what} pose", store.path)
        return found

    return {OWN_BODY: [rows_of(own)], NEW_BODY: [rows_of(i) for i in sorted(test.identities - {own})]}
