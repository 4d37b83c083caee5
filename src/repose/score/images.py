"""Scores of predicted images and flows: a row per test pair and metric."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.columns import PAIR
from repose.data.images import scaled
from repose.images import metrics
from repose.images.attributes import attribute_vectors
from repose.images.classes import BACKGROUND, VISIBLE
from repose.images.inception_splits import in_splits
from repose.images.skeleton import skeleton_mask
from repose.methods.load import load_weights
from repose.methods.scorers.image_scorer import AttributeLogits, ImageScorer
from repose.metrics.images import METRICS, InceptionScore
from repose.metrics.metric import measured, quantities_of
from repose.predict.read_images import generated_images
from repose.raw.settings import Official
from repose.score.official import OfficialScorers, open_scorers
from repose.store.arrays import StoredArray
from repose.store.image_store import ImageStore

_BATCH = 32
_BY_SPLIT = [metric for metric in METRICS if isinstance(metric, InceptionScore)]
_BY_PAIR = [metric for metric in METRICS if metric not in _BY_SPLIT]


class GeneratedImages:
    """The predictions for B pairs of images with the truth: the quantities that metrics are computed from.

    Images have values 0 … 255, flows are in pixels, x then y, from a pixel of the target to its place in the source.
    A quantity is None where the method does not predict it, or there is no such truth or scorer.

    Args:
        predicted: arrays of the predictions, as `repose.predict.images` names them.
        store: the images.
        rows: (B, 2), of source and target in the store.
        scorer: of clothes in generated images, in evaluation mode.
        official: the published scorers.
    """

    def __init__(
        self,
        predicted: Mapping[str, Tensor],
        store: ImageStore,
        rows: NDArray[np.integer],
        scorer: ImageScorer | None = None,
        official: OfficialScorers | None = None,
    ):
        self._predicted, self._store, self._rows = predicted, store, rows
        self._scorer, self._official = scorer, official

    @cached_property
    def image(self) -> Tensor | None:
        """The generated images (B, H, W, 3), float64."""
        return self._predicted["image"].double() if "image" in self._predicted else None

    @cached_property
    def source(self) -> Tensor:
        """(B, H, W, 3), float64."""
        return torch.from_numpy(self._store.images(self._rows[:, 0])).double()

    @cached_property
    def target(self) -> Tensor:
        """The true target images, (B, H, W, 3), float64."""
        return torch.from_numpy(self._store.images(self._rows[:, 1])).double()

    @cached_property
    def person(self) -> Tensor:
        """The pixels at which the target shows a person, (B, H, W) bool."""
        return self._parts > 0

    @cached_property
    def skeleton(self) -> Tensor:
        """The mask of the target's joints, (B, H, W) bool."""
        joints = self._store.joints(self._rows[:, 1])
        return torch.from_numpy(np.stack([skeleton_mask(person, self._store.size) for person in joints]))

    @cached_property
    def flow(self) -> Tensor | None:
        """The predicted flow (B, H, W, 2), float64."""
        return self._predicted["flow"].double() if "flow" in self._predicted else None

    @property
    def visibility(self) -> Tensor | None:
        """The predicted classes of visibility (B, H, W), with the meaning of `true_visibility`."""
        return self._predicted.get("visibility")

    @property
    def true_flow(self) -> Tensor | None:
        """(B, H, W, 2), float64, for a method that predicts flow; None unless all pairs have one."""
        return self._true[0] if self._true else None

    @property
    def true_visibility(self) -> Tensor | None:
        """The true visibility (B, H, W): 0 visible in the source too, 1 not, 2 background."""
        return self._true[1] if self._true else None

    @property
    def visible(self) -> Tensor | None:
        """The pixels of the target that are visible in the source too, (B, H, W) bool."""
        return None if self.true_visibility is None else self.true_visibility == VISIBLE

    @property
    def foreground(self) -> Tensor | None:
        """The pixels of the target that have a true flow, (B, H, W) bool."""
        return None if self.true_visibility is None else self.true_visibility < BACKGROUND

    @property
    def kinds(self) -> Tensor | None:
        """The scorer's logits (B, 7) of the kind of clothes in the generated images, float64."""
        return self._scored[0].kind.double() if self._scored else None

    @property
    def person_kinds(self) -> Tensor | None:
        """The same for the generated images on white, where the target shows no person."""
        return self._scored[1].kind.double() if self._scored else None

    @property
    def attributes(self) -> Tensor | None:
        """The scorer's logits (B, 73) of the attributes in the generated images."""
        return self._scored[0].attributes if self._scored else None

    @property
    def true_attributes(self) -> Tensor:
        """The attributes of the targets, (B, 73), 0 or 1."""
        return torch.from_numpy(attribute_vectors(self._store.labels(self._rows[:, 1])))

    @property
    def published_kinds(self) -> Tensor | None:
        """The published FashionIS scorer's logits (B, 23) for the generated images, float64."""
        images = self._predicted.get("image")
        return None if self._official is None or images is None else self._official.kinds_in(images.numpy())

    @cached_property
    def published_attributes(self) -> Tensor | None:
        """The published AttrRec scorer's logits (B, A) for the generated images."""
        images = self._predicted.get("image")
        return (
            None if self._official is None or images is None else self._official.attributes_in(images.numpy())
        )

    @property
    def published_truth(self) -> Tensor | None:
        """The published attributes of the targets, (B, A), 0 or 1."""
        targets = [self._store.image_ids[row] for row in self._rows[:, 1]]
        return None if self._official is None else self._official.attributes_of(targets)

    @cached_property
    def _parts(self) -> Tensor:
        return torch.from_numpy(self._store.segmentation(self._rows[:, 1])).long()

    @cached_property
    def _true(self) -> tuple[Tensor, Tensor] | None:
        if self.flow is None or not all(self._has_flow(*row) for row in self._rows.tolist()):
            return None
        truths = [self._store.flow(*row) for row in self._rows.tolist()]
        flows, classes = (np.stack(parts) for parts in zip(*truths, strict=True))
        return torch.from_numpy(flows).double(), torch.from_numpy(classes)

    def _has_flow(self, source: int, target: int) -> bool:
        names = self._store.image_ids
        return self._store.is_rendered or (names[source], names[target]) in self._store.pairs

    @cached_property
    @torch.inference_mode()
    def _scored(self) -> tuple[AttributeLogits, AttributeLogits] | None:
        """Return the scorer's output for the generated images, and for the person in them."""
        if self._scorer is None or "image" not in self._predicted:
            return None
        generated = scaled(self._predicted["image"].numpy())
        person = torch.where(self.person[:, None], generated, torch.full_like(generated, -1.0))
        return self._scorer(generated, self._parts), self._scorer(person, self._parts)


def score(
    predictions: Path,
    store: Path,
    parts: Mapping[str, pd.DataFrame],
    scorer: Path | None = None,
    official: Official | None = None,
) -> pd.DataFrame:
    """Compare predictions with the truth, test list by test list.

    There is no row for what a method does not predict, nor for what cannot be measured on a pair, because nothing is
    visible in both images, or photos have no true flow.

    Args:
        predictions: output of the stage `predict`.
        store: the images.
        parts: the pairs of each test list, by its name.
        scorer: weights of an `image-scorer`; without them there are no rows `…render_…`.
        official: the published scorers, by path and hash; without them there are no rows `fashion_is_nats` and
            `attr_recall_…`.

    Returns:
        Columns protocol (the test list), source_image, target_image, metric, value. The metrics and their units are
        those of `repose.metrics.images`.

    Raises:
        ReposeError: the predictions are of other pairs than the lists, or weights are missing or do not fit.
    """
    scorers = (
        load_weights(ImageScorer(), scorer, "the scorer") if scorer else None,
        open_scorers(official) if official else None,
    )
    images, scored = ImageStore(store), []
    for protocol, pairs in parts.items():
        predicted = generated_images(predictions, protocol, pairs[PAIR].to_numpy().tolist(), images.size)
        wide = _measured_list(predicted, images, pairs, *scorers).assign(protocol=protocol)
        names = [metric.name for metric in METRICS if metric.name in wide]
        scored.append(wide.melt(["protocol", *PAIR], names, var_name="metric", value_name="value"))
    return pd.concat(scored, ignore_index=True).dropna(ignore_index=True)


def _measured_list(
    predicted: Mapping[str, StoredArray],
    store: ImageStore,
    pairs: pd.DataFrame,
    scorer: ImageScorer | None,
    official: OfficialScorers | None,
) -> pd.DataFrame:
    """Return one row per pair with a column per metric, computed in batches, except for metrics of a whole split."""
    rows = pairs[PAIR].map(store.index_of).to_numpy()
    parts: list[pd.DataFrame] = []
    logits: dict[str, list[Tensor]] = defaultdict(list)
    for start in range(0, len(rows), _BATCH):
        some = slice(start, start + _BATCH)
        found = {
            name: torch.from_numpy(array.rows(start, start + _BATCH)) for name, array in predicted.items()
        }
        generated = GeneratedImages(found, store, rows[some], scorer, official)
        values = measured(_BY_PAIR, generated)
        parts.append(
            pairs[PAIR].iloc[some].assign(**{name: v.double().numpy() for name, v in values.items()})
        )
        for metric in _BY_SPLIT:
            logits[metric.name] += quantities_of(metric, generated) or []
    table, names = pd.concat(parts, ignore_index=True), pairs[PAIR].agg("_".join, axis=1).tolist()
    for metric in _BY_SPLIT:
        if logits[metric.name]:
            table[metric.name] = surprises(metric, torch.cat(logits[metric.name]), names).numpy()
    return table


def surprises(metric: InceptionScore, logits: Tensor, names: Sequence[str]) -> Tensor:  # (N, K); to (N,)
    """Return how much the classes of each image differ from those of its split, in nats.

    Args:
        metric: states the number of splits.
        logits: logits of the images.
        names: names of the images, whose order defines the splits.

    Returns:
        NaN for all of them if there are fewer images than splits.
    """
    found = torch.full((len(logits),), float("nan"), dtype=logits.dtype)
    if len(names) >= metric.splits:
        for split in in_splits(names, metric.splits):
            own = np.sort(split)
            found[own] = metric.compute(logits[own])
    return found


def recall_or_one(logits: Tensor, truth: Tensor, k: int) -> Tensor:  # (N, A), (N, A) of 0 and 1; to (N,)
    """Return the share of the true attributes among the k likeliest; 1 if there are none, as in the released code."""
    return metrics.recall_at(logits, truth, k).nan_to_num(nan=1.0)
