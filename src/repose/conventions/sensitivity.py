"""Known errors under each convention: truths are modified and scored like predictions."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.transform import Rotation

from repose.conventions.known import CONVENTIONS, Convention
from repose.conventions.measures import Compared
from repose.mesh.operators import edge_lengths, unique_edges
from repose.metrics.conventions import METRICS
from repose.metrics.metric import measured

Float = NDArray[np.float64]
SAMPLES = 8  # triples of a list that are used
LIMB = 0.2  # extent of a limb, as a share of the longest path along the surface from its tip
ROUNDING = 1e-6  # smaller values count as zero
UNIT = "noise of 5 mm"
"""What the others are measured by."""

# Each function takes a truth (V, 3) about the middle of its box, metres, y up, and the edges (E, 2), and returns it
# with an error.
CHANGES: dict[str, Callable[[Float, NDArray[np.integer]], Float]] = {
    "none: the truth itself": lambda x, edges: x,
    UNIT: lambda x, edges: x + np.random.default_rng(0).normal(0, 0.005, x.shape),
    "moved by 1 cm": lambda x, edges: x + np.array([0.01, 0, 0]),
    "5 % larger": lambda x, edges: x * 1.05,
    "one vertex 20 cm out": lambda x, edges: _spiked(x),
    "a limb turned by 10°": lambda x, edges: _bent(x, edges),
    "mirrored": lambda x, edges: x * [-1, 1, 1],
    "vertices in another order": lambda x, edges: np.random.default_rng(0).permutation(x),
}
COPIES = ("the identity mesh as it is", "the pose body as it is")
"""The right body in a wrong pose, and another body in the right one."""


def sensitivity(stored: Float, identity: Float, pose: Float, faces: NDArray[np.integer]) -> pd.DataFrame:
    """Return the number of each convention for each modification of some truths, (N, V, 3) metres each.

    `times` is the ratio of the error to that of noise of 5 mm, as a ratio of lengths (the root for squared measures).
    Means over distinct truths or identities behave like means over pairs, and are left out.
    """
    edges = unique_edges(faces)
    boxed = stored - (stored.min(axis=1, keepdims=True) + stored.max(axis=1, keepdims=True)) / 2
    outs = {name: np.stack([change(x, edges) for x in boxed]) for name, change in CHANGES.items()}
    outs |= dict(zip(COPIES, (identity, pose), strict=True))
    seen = [c for c in CONVENTIONS if c.over == "pairs" and c.middle == "mean"]
    truth, own = torch.from_numpy(stored), torch.from_numpy(identity)
    found = {}
    for name, out in outs.items():
        values = measured(METRICS, Compared(torch.from_numpy(out), truth, own, faces))
        found[name] = {c.code: float(values[c.measure].mean()) for c in seen}
    rows = [
        [name, c.code, c.title, found[name][c.code], c.metric.unit, _times(found[name], found[UNIT], c)]
        for name in outs
        for c in seen
    ]
    return pd.DataFrame(rows, columns=["change", "convention", "title", "value", "unit", "times"])


def _times(value: dict[str, float], unit: dict[str, float], convention: Convention) -> float:
    times = (value[convention.code] / unit[convention.code]) ** (1 / convention.power)
    return float(f"{times:.4g}") if times > ROUNDING else 0.0


def _spiked(x: Float) -> Float:
    """Move the highest vertex up by 20 cm, which moves a side of the box."""
    out = x.copy()
    out[np.argmax(x[:, 1]), 1] += 0.2
    return out


def _bent(x: Float, edges: NDArray[np.integer]) -> Float:
    """Rotate the part near the vertex farthest from the middle about its joint, across its length."""
    graph = coo_array((edge_lengths(x, edges), (edges[:, 0], edges[:, 1])), shape=(len(x), len(x)))
    tip = int(np.argmax(np.linalg.norm(x - x.mean(axis=0), axis=1)))
    way = dijkstra(graph.tocsr(), directed=False, indices=tip)
    limb = way < LIMB * way[np.isfinite(way)].max()
    border = edges[limb[edges[:, 0]] != limb[edges[:, 1]]]
    joint = x[border].mean(axis=(0, 1))
    along = x[tip] - joint
    across = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    turn = Rotation.from_rotvec(across / np.linalg.norm(across) * np.radians(10))
    out = x.copy()
    out[limb] = turn.apply(x[limb] - joint) + joint
    return out
