"""Test lists as published with NPT, 3D-CoreNet and MAPConNet: a row `identity pose truth` of mesh names.

The truth of a row is its identity in its pose, so rows of different sources may share one: the 400 rows of the human
list have 378 truths, those of the animal list 367. The released codes name a result by its truth alone and
overwrite 22 and 33 of them; here the row, its identity and its pose mesh together, is the name.
"""

import re
from collections.abc import Container
from pathlib import Path

import pandas as pd

from repose.convert.catalog import mesh_id
from repose.errors import ReposeError
from repose.split.triples import COLUMNS

_NAME = re.compile(r"(?:id|toy_)?(\d+)_(\d+)(?:\.obj|\.ply)?")  # id16_601, toy_21_400.ply, 3_17.obj


def read_published(path: Path, role: str, known: Container[str] | None = None) -> pd.DataFrame:
    """Read a published list as triples, one per row and in its order.

    Args:
        path: text, three names a line; empty lines are skipped.
        role: the role of all rows, such as `test-unseen`.
        known: mesh ids that there are, or None not to look.

    Returns:
        Columns identity_mesh, pose_mesh, truth_mesh, role. Truths may repeat; rows do not.

    Raises:
        ReposeError: a line is malformed, its truth is not its identity in its pose, it names a mesh that is not there,
            or it repeats an earlier line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReposeError(f"not a readable test list: {error}", path) from None
    rows: list[tuple[str, str, str, str]] = []
    lines: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.split():
            continue
        where = f"{path}:{number}"
        identity, pose, truth = _row(line, where)
        first = lines.setdefault((identity, pose), number)
        if first != number:
            raise ReposeError(f"{identity} and {pose} stand in line {first} too", where, "remove one")
        for name in (identity, pose, truth):
            if known is not None and name not in known:
                raise ReposeError(f"the dataset has no mesh {name}", where, "is the list of another dataset?")
        rows.append((identity, pose, truth, role))
    if not rows:
        raise ReposeError("the test list has no rows", path)
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(line: str, where: str) -> tuple[str, str, str]:
    names = line.split()
    found = [_NAME.fullmatch(name) for name in names]
    if len(names) != 3 or not all(found):
        raise ReposeError(
            f"{line.strip()[:80]!r} is not `identity pose truth`",
            where,
            "names are like id16_601 or toy_21_400",
        )
    (i, p), (j, q), (k, r) = (tuple(map(int, match.groups())) for match in found if match)
    if (k, r) != (i, q):
        raise ReposeError(
            f"the truth {names[2]} is not the identity of {names[0]} in the pose of {names[1]}", where
        )
    return mesh_id(i, p), mesh_id(j, q), mesh_id(k, r)
