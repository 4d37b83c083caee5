"""Test lists as published with NPT, 3D-CoreNet and MAPConNet: rows `identity pose truth` of mesh names.

The truth of a row is its identity in its pose, so rows with different pose meshes may share one: the 400 rows of the
human list have 378 truths, those of the animal list 367. The released codes name a result by its truth alone and
overwrite 22 and 33 of them. Here identity and pose mesh together name a row.
"""

import hashlib
import re
from collections.abc import Set
from pathlib import Path

import pandas as pd

from repose.convert.catalog import mesh_id
from repose.errors import ReposeError
from repose.reading import read_text
from repose.split.protocols import Partition
from repose.split.triples import COLUMNS

# id16_601, toy_21_400.ply, 3_17.obj
_NAME = re.compile(r"(?:id|toy_)?([0-9]{1,9})_([0-9]{1,9})(?:\.obj|\.ply)?")


def read_published(
    path: Path, role: str, pairs: Set[tuple[int, int]], identities: Partition, poses: Partition
) -> pd.DataFrame:
    """Read a published list as triples, one per row and in its order.

    Args:
        path: text file with three names per line; empty lines are skipped.
        role: the role of all rows, such as `test-unseen`.
        pairs: (identity, pose) of the available meshes.
        identities, poses: the partitions, which state what may be tested on.

    Returns:
        Columns identity_mesh, pose_mesh, truth_mesh, role. Truths may repeat; rows do not.

    Raises:
        ReposeError: a line is malformed, its truth is not its identity in its pose, it names a mesh that is missing or
            is no test mesh, or it repeats an earlier line.
    """
    rows: list[tuple[str, str, str, str]] = []
    lines: dict[tuple[str, str], int] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.split():
            continue
        where = f"{path}:{number}"
        (i, p), (j, q) = _row(line, where)
        for identity, pose in ((i, p), (j, q), (i, q)):
            name = mesh_id(identity, pose)
            if (identity, pose) not in pairs:
                raise ReposeError(f"the dataset has no mesh {name}", where, "is the list of another dataset?")
            if identity not in identities.test or pose not in poses.test:
                raise ReposeError(
                    f"{name} is no test mesh", where, "change the dataset's identities and poses"
                )
        key = mesh_id(i, p), mesh_id(j, q)
        if (first := lines.setdefault(key, number)) != number:
            raise ReposeError(f"{key[0]} and {key[1]} stand in line {first} too", where, "remove one")
        rows.append((*key, mesh_id(i, q), role))
    if not rows:
        raise ReposeError("the test list has no rows", path)
    return pd.DataFrame(rows, columns=COLUMNS)


def list_digest(path: Path) -> str:
    """Return the sha256 of a list's text, which decides a split."""
    return hashlib.sha256(read_text(path).encode()).hexdigest()


def _row(line: str, where: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return identity and pose number of the identity mesh, and of the pose mesh."""
    names = line.split()
    found = [_NAME.fullmatch(name) for name in names]
    if len(names) != 3 or not all(found):
        raise ReposeError(
            f"{line.strip()[:80]!r} is not `identity pose truth`",
            where,
            "names are like id16_601 or toy_21_400",
        )
    identity, pose, truth = ((int(match[1]), int(match[2])) for match in found if match)
    if truth != (identity[0], pose[1]):
        what = f"the truth {names[2]} is not the identity of {names[0]} in the pose of {names[1]}"
        raise ReposeError(what, where)
    return identity, pose
