"""Numbers, tokens and lines of a text that `scan` has walked through."""

from __future__ import annotations

import numpy as np

from repose.errors import MeshError

MAX_TOKEN = 512  # bytes of a token that are looked at


def token_at(data: bytes, pos: int) -> str:
    """The token at a position, shortened for a message."""
    return (data[pos : pos + MAX_TOKEN].split(None, 1) or [b""])[0][:40].decode("utf-8", "replace")


def shown(token: bytes) -> str:
    """A token in quotes, shortened for a message."""
    return repr(token[:40].decode("utf-8", "replace"))


def line_of(data: bytes, pos: int) -> int:
    """The line that a position is on, counted from 1."""
    return data.count(b"\n", 0, pos) + 1


def read_reals(data: bytes, starts: np.ndarray, where: object) -> np.ndarray:
    """Read the numbers that start at the given positions, each exactly as `float` reads it.

    Args:
        data: the bytes of the file.
        starts: (N,) int32.
        where: the file, for the error.

    Returns:
        (N,) float64.

    Raises:
        MeshError: a token is not a number, not finite, or absurdly long.
    """
    from repose.mesh.formats import scan  # a second, which files without compiled scanners need not cost

    values = np.empty(starts.size, np.float64)
    bad = scan.scan_reals(np.frombuffer(data, np.uint8), starts, values)
    if bad < 0:
        inexact = np.flatnonzero(np.isnan(values))
        texts = [
            data[start : start + scan.MAX_TOKEN + 1].split(None, 1)[0] for start in starts[inexact].tolist()
        ]
        values[inexact] = [float(text) for text in texts]
        infinite = np.flatnonzero(np.isinf(values))
        if not infinite.size:
            return values
        bad = infinite[0]
    start = int(starts[bad])
    raise MeshError(
        f"{token_at(data, start)!r} is not a finite number",
        f"{where}:{line_of(data, start)}",
        "the file is damaged, or its exporter diverged",
    )
