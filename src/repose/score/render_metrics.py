"""Score posed bodies by pictures of them, with a scorer that the workflow has trained on pictures of the true ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.errors import ReposeError
from repose.images.sets import frechet_distance, kernel_distance
from repose.methods.scorers.render_scorer import FEATURES, VIEWS, Judged, RenderScorer, as_input, pictures

METRICS = ("render_fid", "render_kid", "render_accuracy", "real_render_accuracy")
_BATCH = 64


def render_values(
    scorer: RenderScorer,
    identity: int,
    made: Tensor,  # (N, V, 3) metres, each about the middle of its box
    real: Tensor,  # (M, V, 3) metres, likewise, the same body
    faces: NDArray[np.integer],  # (F, 3)
) -> dict[str, float]:
    """Compare pictures of one body with pictures of it in true poses.

    Returns:
        * render_fid: squared Fréchet distance of the scorer's features, each of variance 1 in training; 0 is best.
        * render_kid: kernel distance of them; 0 is best, and less is chance.
        * render_accuracy: share of the pictures in which the scorer sees that body, and no other.
        * real_render_accuracy: the same of the true poses, which is the most to be expected.

    Raises:
        ReposeError: the scorer does not know the body, or there are too few poses for covariances.
    """
    known = scorer.identities.tolist()
    if identity not in known:
        raise ReposeError(
            f"the scorer does not know identity {identity}",
            hint="it knows the first training identity and those of the tests",
        )
    least = FEATURES // len(VIEWS) + 1
    if min(len(made), len(real)) < least:
        raise ReposeError(
            f"identity {identity} is shown in {min(len(made), len(real))} poses; RenderFID needs {least}",
            hint="more test poses, or more test triples; or scorer: null for the table",
        )
    seen, truth = (judged(scorer, meshes, faces) for meshes in (made, real))
    right = [(found.logits.argmax(1) == known.index(identity)).double().mean() for found in (seen, truth)]
    values = (
        frechet_distance(seen.features, truth.features),
        kernel_distance(seen.features, truth.features),
        *map(float, right),
    )
    return dict(zip(METRICS, values, strict=True))


@torch.inference_mode()
def judged(scorer: RenderScorer, meshes: Tensor, faces: NDArray[np.integer]) -> Judged:
    """What the scorer, in evaluation mode, thinks of meshes (N, V, 3) from all sides: N · VIEWS pictures."""
    parts = [scorer(as_input(drawn)) for drawn in _drawn(meshes, faces, float(scorer.half_height))]
    return Judged(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _drawn(meshes: Tensor, faces: NDArray[np.integer], half_height: float) -> Iterator[NDArray[np.uint8]]:
    for some in meshes.split(_BATCH // len(VIEWS)):
        yield np.concatenate([pictures(mesh, faces, half_height) for mesh in some.double().numpy()])
