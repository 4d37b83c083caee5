"""Scores of renders: images of predicted meshes, classified by a scorer that was trained on renders of the true bodies.

There is one row per body and metric, in the columns of the scores of the same predictions, which a table reads together
with them.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.columns import TRIPLE
from repose.convert.catalog import mesh_numbers
from repose.data.meshes import centred
from repose.errors import ReposeError
from repose.medium import Medium
from repose.mesh.metrics import bbox_centred
from repose.methods.load import load_weights
from repose.methods.scorers.render_scorer import (
    FEATURES,
    VIEWS,
    FeaturesAndLogits,
    RenderScorer,
    as_input,
    render_mesh,
)
from repose.metrics.metric import measured
from repose.metrics.renders import METRICS
from repose.predict.read_meshes import transfers
from repose.predict.read_poses import generated_poses
from repose.store.mesh_store import MeshStore

_BATCH = 64
Parts = Mapping[str, pd.DataFrame]


class Renders:
    """Renders of a body in N predicted and M true poses, from all sides: the quantities that metrics are computed from.

    Args:
        scorer: the classifier, in evaluation mode.
        identity: number of the body in its dataset.
        predicted: (N, V, 3) metres, each about the middle of its box.
        truth: (M, V, 3) metres, likewise.
        faces: (F, 3) faces of all meshes.

    Raises:
        ReposeError: the scorer does not know the body, or there are too few poses for a covariance.
    """

    def __init__(
        self,
        scorer: RenderScorer,
        identity: int,
        predicted: Tensor,
        truth: Tensor,
        faces: NDArray[np.integer],
    ):
        known: list[int] = scorer.identities.tolist()
        if identity not in known:
            raise ReposeError(
                f"the scorer does not know identity {identity}",
                hint="it knows the first training identity and those of the tests",
            )
        least, poses = FEATURES // len(VIEWS) + 1, min(len(predicted), len(truth))
        if poses < least:
            raise ReposeError(
                f"identity {identity} is shown in {poses} poses; RenderFID needs {least}",
                hint="more test poses, or more test triples; or scorer: null for the table",
            )
        self.body = known.index(identity)
        self._scorer, self._meshes, self._faces = scorer, (predicted, truth), faces

    @property
    def features(self) -> Tensor:
        """The features of predicted poses (N · VIEWS, FEATURES), with variance 1 in the training of the scorer."""
        return self._seen[0].features

    @property
    def true_features(self) -> Tensor:
        """The features of true poses (M · VIEWS, FEATURES)."""
        return self._seen[1].features

    @property
    def logits(self) -> Tensor:
        """The logits of predicted poses (N · VIEWS, bodies that the scorer knows); `body` is the true column."""
        return self._seen[0].logits

    @property
    def true_logits(self) -> Tensor:
        """The logits of true poses (M · VIEWS, bodies)."""
        return self._seen[1].logits

    @cached_property
    def _seen(self) -> list[FeaturesAndLogits]:
        return [seen(self._scorer, meshes, self._faces) for meshes in self._meshes]


def score(predictions: Path, store: Path, parts: Parts, scorer: Path, medium: Medium) -> pd.DataFrame:
    """Compare renders of predicted meshes with renders of the truth, body by body.

    Args:
        predictions: output of the stage `predict`, for a method of meshes or of poses.
        store: the true bodies.
        parts: the triples of each test list; for generated poses the parts `train` and `unseen` of the split.
        scorer: weights of a `render-scorer`.
        medium: medium of the method.

    Returns:
        The columns of the scores of the medium; for transfers, `identity_mesh` names the body, and no other mesh is
            named. The metrics are those of `repose.metrics.renders`.

    Raises:
        ReposeError: the predictions are of another split, or for the reasons that `Renders` gives.
    """
    key, bodies_of = _BODIES[medium]
    bodies, network = MeshStore(store), load_weights(RenderScorer(), scorer, "the scorer")
    rows = []
    for place, identity, predicted, truth in bodies_of(predictions, bodies, parts):
        found = measured(METRICS, Renders(network, identity, predicted, truth, bodies.faces))
        rows += [(*place, metric, value) for metric, value in found.items()]
    return pd.DataFrame(rows, columns=["protocol", *key, "metric", "value"])


@torch.inference_mode()
def seen(scorer: RenderScorer, meshes: Tensor, faces: NDArray[np.integer]) -> FeaturesAndLogits:
    """Return a scorer's output for the N · VIEWS renders of meshes (N, V, 3), metres, from all sides."""
    parts = [scorer(as_input(drawn)) for drawn in _drawn(meshes, faces, float(scorer.half_height))]
    return FeaturesAndLogits(*(torch.cat(column) for column in zip(*parts, strict=True)))


def accuracy(logits: Tensor, body: int) -> float:  # (N, bodies)
    """Return the share of N images in which the scorer recognises one given body."""
    return float((logits.argmax(1) == body).double().mean())


def _drawn(meshes: Tensor, faces: NDArray[np.integer], half_height: float) -> Iterator[NDArray[np.uint8]]:
    for some in meshes.split(_BATCH // len(VIEWS)):
        yield np.concatenate([render_mesh(mesh, faces, half_height) for mesh in some.double().numpy()])


ScoredBody = tuple[tuple[Any, ...], int, Tensor, Tensor]
"""Where its rows stand, the number of its identity, and its predicted and true poses."""


def _transferred(predictions: Path, store: MeshStore, parts: Parts) -> Iterator[ScoredBody]:
    for protocol, triples in parts.items():
        predicted = transfers(predictions, protocol, triples)
        truth = centred(store.vertices(triples.truth_mesh.map(store.index_of).to_numpy()))
        bodies = triples.identity_mesh.map(lambda name: mesh_numbers(name)[0]).to_numpy()
        for body in np.unique(bodies).tolist():
            own = torch.from_numpy(bodies == body)
            yield (protocol, f"id{body}", "", ""), body, bbox_centred(predicted[own]), truth[own]


def _generated(predictions: Path, store: MeshStore, parts: Parts) -> Iterator[ScoredBody]:
    for protocol, body, meshes in generated_poses(predictions, store, parts):
        yield (protocol, body.identity), body.identity, meshes, centred(store.vertices(body.held_out))


_BODIES = {"meshes": (TRIPLE, _transferred), "poses": (["identity"], _generated)}
