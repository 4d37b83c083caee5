"""The identities and poses that each part of the data may use."""

from collections.abc import Set
from dataclasses import dataclass

import pandas as pd

from repose.errors import ReposeError
from repose.split.triples import TEST_ROLES, Meshes, draw_triples, one_source_triples


@dataclass(frozen=True)
class Partition:
    """The identities, or the poses, of each part.

    No test number is in another part. Training and validation may share identities or poses, which small sets require,
    but not both; `check_apart` checks this.
    """

    train: list[int]
    val: list[int]
    test: list[int]

    def check(self, available: Set[int], what: str) -> None:
        """Refuse numbers that the catalogue does not have, and test numbers that are also in another part."""
        if shared := set(self.test) & {*self.train, *self.val}:
            raise ReposeError(f"test {what} {min(shared)} is in training or validation too")
        if missing := {*self.train, *self.val, *self.test} - available:
            raise ReposeError(
                f"the catalogue has no {what} {min(missing)}",
                hint="choose among those that are there, or run `repose convert` again",
            )


def check_apart(identities: Partition, poses: Partition) -> None:
    """Refuse a split with a mesh in both training and validation."""
    if set(identities.train) & set(identities.val) and set(poses.train) & set(poses.val):
        raise ReposeError(
            "training and validation share identities and poses",
            hint="give validation identities, or poses, that training does not have",
        )


def training_triples(
    meshes: Meshes, identities: Partition, poses: Partition, train: int, val: int, seed: int
) -> pd.DataFrame:
    """Return triples for training and for choosing the checkpoint, without anything of the test."""
    parts = [
        draw_triples(meshes, identities.train, poses.train, train, "train", seed),
        draw_triples(meshes, identities.val, poses.val, val, "val", seed),
    ]
    return pd.concat(parts, ignore_index=True)


def protocol_triples(
    protocol: str,
    meshes: Meshes,
    identities: Partition,
    poses: Partition,
    count: int,
    seed: int,
    half: Set[int] = frozenset(),
) -> pd.DataFrame:
    """Return the test triples of a protocol.

    `unseen`: test identities and test poses, which occur in no training triple. `seen-pose`: test identities in
    poses that occur in training. `one-source`: test identities in test poses, all shown by the first training identity.
    `bent` and `straight`: test identities in the poses of a `half` that are neither in training nor in validation.
    """
    if protocol == "one-source":
        return one_source_triples(meshes, min(identities.train), identities.test, poses.test, count, seed)
    new = half - {*poses.train, *poses.val}
    chosen = {"unseen": poses.test, "seen-pose": poses.train}.get(protocol, sorted(new))
    return draw_triples(meshes, identities.test, chosen, count, TEST_ROLES[protocol], seed)
