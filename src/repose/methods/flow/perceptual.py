"""Feature networks for the perceptual loss: the published one with the user's weights, or a small one."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from repose.checkpoint import read_checkpoint
from repose.errors import ReposeError
from repose.methods.flow.layers import initialise
from repose.reading import foreign
from repose.supplied import check_supplied

_WEIGHT = 0.125  # weight of each of the five layers
# Channels and convolutions of each stage; of VGG-19 up to relu5_1.
_VGG19 = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 1))
SMALL = ((16, 1), (32, 1), (64, 1), (96, 1), (128, 1))
_RANDOM_SEED = 0


class Features(nn.Module):
    """Convolutions in five stages; returns what the first ReLU of each stage gives, as VGG's relu1_1 … relu5_1.

    Args:
        stages: channels and number of convolutions of each stage.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, stages: tuple[tuple[int, int], ...]):
        super().__init__()
        self.features = nn.ModuleDict()
        self._taps, place, inputs = [], 0, 3
        for channels, count in stages:
            self._taps.append(place + 1)
            for _ in range(count):
                self.features[str(place)] = nn.Conv2d(inputs, channels, 3, padding=1)
                place, inputs = place + 2, channels
            place += 1  # the pooling that the next stage begins with
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:  # (B, 3, H, W) in [-1, 1]
        """Return the features of the five layers."""
        x, found, last = ((image + 1) / 2 - self.mean) / self.std, [], 0
        for place, conv in self.features.items():
            if int(place) > last + 2:
                x = F.max_pool2d(x, 2)
            x, last = F.relu(conv(x)), int(place)
            if last + 1 in self._taps:
                found.append(x)
        return found


def perceptual_loss(features: Features, generated: Tensor, truth: Tensor) -> Tensor:  # images in [-1, 1]
    """Return 0.125 times the sum of the mean absolute differences of the five layers."""
    pairs = zip(features(generated), features(truth), strict=True)
    return _WEIGHT * torch.stack([(a - b).abs().mean() for a, b in pairs]).sum()


def feature_network(kind: str, weights: str | None = None, sha256: str | None = None) -> Features | None:
    """Return the frozen network that `repose.methods.flow.settings.Perceptual` describes; None for `none`.

    The network of `trained` has random weights until its trained weights are loaded.

    Raises:
        ReposeError: the file of weights is missing, is another one, is damaged, or does not fit.
    """
    if kind == "none":
        return None
    if kind == "vgg19":
        assert weights is not None and sha256 is not None
        network = Features(_VGG19)
        _fill(network, check_supplied(weights, sha256))
    else:
        # Without touching the generator that training draws from.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_RANDOM_SEED)
            network = Features(SMALL)
            initialise(network)
    return network.eval().requires_grad_(False)


def _fill(network: Features, path: Path) -> None:
    if path.suffix == ".safetensors":
        with foreign(path, "not a whole safetensors file"):
            tensors = load_file(path)
    else:
        tensors = read_checkpoint(path)
    wanted = network.state_dict()
    if missing := sorted(set(wanted) - set(tensors)):
        raise ReposeError(f"has no {missing[0]}", path, "expected the layers of torchvision's vgg19")
    for name, place in wanted.items():
        if tensors[name].shape != place.shape:
            raise ReposeError(
                f"{name} has shape {tuple(tensors[name].shape)}, not {tuple(place.shape)}", path
            )
    network.load_state_dict({name: tensors[name] for name in wanted})
