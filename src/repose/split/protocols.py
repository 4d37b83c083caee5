"""Which identities and poses each part of the data may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from repose.errors import ReposeError
from repose.split.triples import TEST_ROLES, draw_triples


@dataclass(frozen=True)
class Partition:
    """Identities, or poses, of each part; no number stands in two parts."""

    train: Sequence[int]
    val: Sequence[int]
    test: Sequence[int]

    @classmethod
    def of_counts(cls, train: int, val: int, test: int) -> "Partition":
        """The first `train` numbers, then `val`, then `test`."""
        cuts = (0, train, train + val, train + val + test)
        return cls(*(range(a, b) for a, b in pairwise(cuts)))

    def check(self, available: set[int], what: str) -> None:
        """Refuse numbers the catalogue does not have, and numbers that stand in two parts."""
        parts = [*self.train, *self.val, *self.test]
        if len(parts) != len(set(parts)):
            raise ReposeError(f"a {what} stands in two parts of the split")
        if missing := sorted(set(parts) - available):
            raise ReposeError(f"the catalogue has no {what} {missing[0]}", hint="run `repose convert` again")


def training_triples(
    identities: Partition, poses: Partition, train: int, val: int, seed: int
) -> pd.DataFrame:
    """Triples for training, and for choosing the checkpoint: new identities in new poses, none of the test."""
    parts = [
        draw_triples(identities.train, poses.train, train, "train", seed),
        draw_triples(identities.val, poses.val, val, "val", seed),
    ]
    return pd.concat(parts, ignore_index=True)


def protocol_triples(
    protocol: str, identities: Partition, poses: Partition, count: int, seed: int
) -> pd.DataFrame:
    """Test triples of a protocol.

    `unseen`: test identities and test poses, which occur in no training triple. `seen-pose`: test identities in
    poses that occur in training.
    """
    chosen = {"unseen": poses.test, "seen-pose": poses.train}[protocol]
    return draw_triples(identities.test, chosen, count, TEST_ROLES[protocol], seed)
