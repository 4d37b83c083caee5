"""Warnings of likely mistakes that are not refused: an order, roles, axes or places other than those of the list."""

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.lists import List, Row
from repose.benchmark.submission import Submission
from repose.mesh.operators import edge_lengths, unique_edges

ORDER, AXES = 10, 5  # factor by which the error must be smaller
ROLES = 0.9  # share of the rows
OFFSET = 0.05  # of the truth's longest side
ASSIGNED = 3  # rows that are examined
MATCHED = 3000  # vertices that are assigned, which takes seconds; with more, nearest vertices are used

Float = NDArray[np.float64]


def diagnose(given: Submission, listing: List, bodies: ListedMeshes) -> list[str]:
    """Return lines about what may be wrong; an empty list if nothing looks so. No score is changed."""
    found = ((vertices.astype(np.float64), listing.by_id[t]) for t, vertices in given.predictions.items())
    rows = [(vertices, row, *_truth(row, bodies)) for vertices, row in found]
    same = rows if given.card.order == "identity" else []
    return [*_order(same), *_roles(same, bodies), *_axes(same), *_offset(rows)]


PredictedRow = tuple[Float, Row, Float, Float]  # prediction, its row, truth, and truth about its mean


def _truth(row: Row, bodies: ListedMeshes) -> tuple[Float, Float]:
    truth = bodies.mesh(row.truth_mesh or row.identity_mesh).vertices
    return truth, truth - truth.mean(axis=0)


def _order(rows: list[PredictedRow]) -> Iterator[str]:
    for vertices, row, _, truth in rows[:ASSIGNED]:
        out = vertices - vertices.mean(axis=0)
        error = ((out - truth) ** 2).sum(axis=1).mean()
        # An assignment is never nearer than the nearest vertices, which are found quickly.
        best = (KDTree(truth).query(out)[0] ** 2).mean()
        if best * ORDER >= error:
            continue
        if len(out) <= MATCHED:
            costs = cdist(out, truth, "sqeuclidean")
            best = costs[linear_sum_assignment(costs)].mean()
        if best * ORDER < error:
            yield (
                f"{row.triple_id}: in another order of vertices the error would be {error / best:.0f} times "
                "less: order differs from the identity file?"
            )
            return


def _roles(rows: list[PredictedRow], bodies: ListedMeshes) -> Iterator[str]:
    swapped = 0
    for vertices, row, _, _ in rows:
        identity, pose = bodies.mesh(row.identity_mesh), bodies.mesh(row.pose_mesh)
        if identity.vertices.shape != pose.vertices.shape:
            return
        edges = unique_edges(identity.faces)
        out, own, other = (edge_lengths(v, edges) for v in (vertices, identity.vertices, pose.vertices))
        swapped += bool(np.abs(out / other - 1).mean() < np.abs(out / own - 1).mean())
    if rows and swapped > ROLES * len(rows):
        yield (
            f"in {swapped} of {len(rows)} rows the edges are rather as long as those of the pose mesh than of the "
            "identity: roles swapped?"
        )


def _axes(rows: list[PredictedRow]) -> Iterator[str]:
    if not rows:
        return
    # The squared error under every signed permutation of axes follows from the sums of products of coordinates.
    products, squares = np.zeros((3, 3)), 0.0
    for vertices, _, _, truth in rows:
        out = vertices - vertices.mean(axis=0)
        products += out.T @ truth
        squares += float((out**2).sum() + (truth**2).sum())
    errors = {
        (order, signs): squares - 2 * sum(signs[k] * products[order[k], k] for k in range(3))
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    }
    order, signs = min(errors, key=lambda key: errors[key])
    if errors[order, signs] * AXES < errors[(0, 1, 2), (1, 1, 1)]:
        axes = ", ".join(("-" if s < 0 else "") + "xyz"[k] for k, s in zip(order, signs, strict=True))
        yield f"with axes ({axes}) the error would be more than {AXES} times less: axes swapped or mirrored?"


def _offset(rows: list[PredictedRow]) -> Iterator[str]:
    shares = [
        np.linalg.norm(vertices.mean(axis=0) - true.mean(axis=0)) / np.ptp(true, axis=0).max()
        for vertices, _, true, _ in rows
    ]
    if shares and (mean := float(np.mean(shares))) > OFFSET:
        yield (
            f"bodies lie {mean:.0%} of their size beside their truths on average; scores take the best "
            "translation, so this costs nothing"
        )
