"""The published scorers of DeepFashion images, for FashionIS and AttrRec-k, with weights that the user supplies.

Their networks are torchvision's, which the extra `images` installs. The images are prepared and normalised, and the
weights laid out, as in the released scripts (spec/intrinsic-flow.md, 4.1). For the splits of FashionIS, images are
ordered by name; the released script uses the order in which a folder lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from repose.array_pickle import read_pickle
from repose.checkpoint import read_checkpoint
from repose.errors import ReposeError
from repose.metrics.images import RECALLS
from repose.raw.settings import Official, Weights
from repose.supplied import check_supplied

CLASSES = 23
MAX_LABELS = 1 << 29  # bytes of the file of labels
_INCEPTION_SIDES, _RESNET_SIDES = (
    (331, 299),
    (256, 224),
)  # side of the shorter edge, and of the middle crop
# Images are normalised a second time, as torchvision does before pretrained weights of Inception-v3.
_ARGUMENTS: dict[str, dict[str, bool]] = {
    "inception_v3": {"transform_input": True, "aux_logits": False, "init_weights": False},
    "resnet50": {},
}
_UNUSED = "AuxLogits."  # part of Inception-v3 that only its training uses


@dataclass(frozen=True)
class OfficialScorers:
    """Networks in evaluation mode; None if the user has supplied no weights.

    Attributes:
        kinds: the network of FashionIS.
        attributes: the network of AttrRec.
        truth: attributes (A,) of every image by its name, 0 or 1.
    """

    kinds: nn.Module | None
    attributes: nn.Module | None
    truth: Mapping[str, Tensor]

    @torch.inference_mode()
    def kinds_in(self, images: NDArray[np.uint8]) -> Tensor | None:  # (B, H, W, 3) to (B, 23), float64
        """Return the logits of the kind of clothes, for FashionIS."""
        return self.kinds(prepared(images, *_INCEPTION_SIDES)).double() if self.kinds else None

    @torch.inference_mode()
    def attributes_in(self, images: NDArray[np.uint8]) -> Tensor | None:  # (B, H, W, 3) to (B, A)
        """Return the logits of the attributes, for AttrRec."""
        return self.attributes(prepared(images, *_RESNET_SIDES)) if self.attributes else None

    def attributes_of(self, names: Sequence[str]) -> Tensor:  # (B, A)
        """Return the true attributes of images, 0 or 1.

        Raises:
            ReposeError: the labels have no such image.
        """
        if unknown := set(names) - self.truth.keys():
            raise ReposeError(f"the attribute labels have no image {min(unknown)}")
        return torch.stack([self.truth[name] for name in names])


def open_scorers(settings: Official) -> OfficialScorers:
    """Read the weights and labels that the config names.

    Raises:
        ReposeError: a file is missing, has another sha256 or does not fit, or torchvision is not installed.
    """
    given, chosen = settings.fashion_is, settings.attributes
    kinds = _network("inception_v3", CLASSES, given) if given else None
    if chosen is None:
        return OfficialScorers(kinds, None, {})
    labels = check_supplied(chosen.labels, chosen.labels_sha256)
    truth = _labels(labels)
    count = len(next(iter(truth.values())))
    return OfficialScorers(kinds, _network("resnet50", count, chosen), truth)


def prepared(images: NDArray[np.uint8], side: int, kept: int) -> Tensor:  # (B, H, W, 3) to (B, 3, kept, kept)
    """Resize images to a shorter side of `side`, bilinearly, crop the middle `kept` × `kept`, scale to [-1, 1]."""
    height, width = images.shape[1:3]
    short = min(height, width)
    height, width = side * height // short, side * width // short
    left, top = round((width - kept) / 2), round((height - kept) / 2)
    box = (left, top, left + kept, top + kept)
    large = (Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR) for image in images)
    cut = np.stack([np.asarray(image.crop(box)) for image in large])
    return torch.from_numpy(cut).movedim(-1, 1).float() / 127.5 - 1


def _network(name: str, outputs: int, given: Weights) -> nn.Module:
    path = check_supplied(given.weights, given.sha256)
    models = _torchvision_models()
    with torch.device("meta"):  # the network gets no values of its own
        network = getattr(models, name)(num_classes=outputs, **_ARGUMENTS[name])
    tensors = {k: v for k, v in read_checkpoint(path).items() if not k.startswith(_UNUSED)}
    wanted = {k: v.shape for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    for key, shape in wanted.items():
        if key not in tensors:
            raise ReposeError(f"has no {key}", path, f"expected the state dict of torchvision's {name}")
        if tensors[key].shape != shape:
            raise ReposeError(f"{key} has shape {tuple(tensors[key].shape)}, not {tuple(shape)}", path)
    if unknown := sorted(tensors.keys() - wanted.keys()):
        raise ReposeError(f"{unknown[0]} is not known to torchvision's {name}", path)
    network.load_state_dict(tensors, strict=False, assign=True)
    return network.eval().requires_grad_(False)


def _torchvision_models() -> ModuleType:
    hint = "pip install 'repose[images]', from the index that torch came from"
    try:
        from torchvision import models
    except ImportError:
        raise ReposeError(
            "the published scorers need torchvision, which is not installed", hint=hint
        ) from None
    except RuntimeError as error:  # a build for another version of torch
        raise ReposeError(
            f"torchvision does not go with torch {torch.__version__}: {error}", hint=hint
        ) from None
    return models


def _labels(path: Path) -> dict[str, Tensor]:
    content = read_pickle(path, limit=MAX_LABELS)
    try:
        found = {str(name): np.array(row) for name, row in content["label"].items()}
        (shape,) = {row.shape for row in found.values()}
        sound = len(shape) == 1 and all(np.isin(row, (0, 1)).all() for row in found.values())
    except (KeyError, TypeError, AttributeError, ValueError):
        sound = False
    if not sound:
        raise ReposeError('not {"label": {image: [0 or 1, …]}} with rows of one length', path)
    if (least := max(RECALLS)) > shape[0]:
        raise ReposeError(f"tells {shape[0]} attributes; AttrRec-{least} needs {least}", path)
    return {name: torch.from_numpy(row.astype(np.float32)) for name, row in found.items()}
