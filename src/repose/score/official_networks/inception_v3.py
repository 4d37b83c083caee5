"""Inception-v3 (Szegedy et al., CVPR 2016), its parameters named as torchvision names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Kernel = tuple[int, int]
Step = tuple[int, Kernel] | tuple[int, Kernel, Kernel]  # channels; two kernels side by side end a branch
_1X1, _3X3, _5X5 = (1, 1), (3, 3), (5, 5)
_1X3, _3X1, _1X7, _7X1 = (1, 3), (3, 1), (1, 7), (7, 1)
FEATURES = 2048
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


def _conv(inputs: int, channels: int, kernel: Kernel, stride: int = 1, same: bool = True) -> nn.Sequential:
    padding = (kernel[0] // 2, kernel[1] // 2) if same else 0
    layer = nn.Sequential()
    layer.add_module("conv", nn.Conv2d(inputs, channels, kernel, stride, padding, bias=False))
    layer.add_module("bn", nn.BatchNorm2d(channels, eps=1e-3))
    layer.add_module("relu", nn.ReLU())
    return layer


class Mixed(nn.Module):
    """Branches side by side, and a pooling; all their channels together.

    Args:
        inputs: channels that come in.
        branches: convolutions of each branch. That of the name `branch_pool` begins with a mean of 3×3.
        halves: the last convolution of each branch has stride 2, and the pooling is a maximum that stands alone.
    """

    def __init__(self, inputs: int, branches: Mapping[str, Sequence[Step]], halves: bool = False):
        super().__init__()
        self._halves = halves
        self._branches: list[list[list[str]]] = []  # names of the layers of each step, of each branch
        for branch, steps in branches.items():
            channels, names = inputs, []
            for number, (width, *kernels) in enumerate(steps, 1):
                stem = branch if len(steps) == 1 else f"{branch}_{number}"
                own = [stem] if len(kernels) == 1 else [f"{stem}{letter}" for letter in "ab"]
                last = halves and number == len(steps)
                for name, kernel in zip(own, kernels, strict=True):
                    self.add_module(name, _conv(channels, width, kernel, 1 + last, same=not last))
                channels = width
                names.append(own)
            self._branches.append(names)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, C, H, W) of all branches."""
        found = [] if not self._halves else [F.max_pool2d(x, 3, 2)]
        for branch in reversed(self._branches):
            pooled = branch[0][0] == "branch_pool"
            parts = [F.avg_pool2d(x, 3, 1, 1) if pooled else x]
            for names in branch:
                parts = [self.get_submodule(name)(parts[0]) for name in names]
            found = [*parts, *found]
        return torch.cat(found, dim=1)


def _a(inputs: int, pooled: int) -> Mixed:
    return Mixed(
        inputs,
        {
            "branch1x1": [(64, _1X1)],
            "branch5x5": [(48, _1X1), (64, _5X5)],
            "branch3x3dbl": [(64, _1X1), (96, _3X3), (96, _3X3)],
            "branch_pool": [(pooled, _1X1)],
        },
    )


def _c(n: int) -> Mixed:
    return Mixed(
        768,
        {
            "branch1x1": [(192, _1X1)],
            "branch7x7": [(n, _1X1), (n, _1X7), (192, _7X1)],
            "branch7x7dbl": [(n, _1X1), (n, _7X1), (n, _1X7), (n, _7X1), (192, _1X7)],
            "branch_pool": [(192, _1X1)],
        },
    )


def _e(inputs: int) -> Mixed:
    return Mixed(
        inputs,
        {
            "branch1x1": [(320, _1X1)],
            "branch3x3": [(384, _1X1), (384, _1X3, _3X1)],
            "branch3x3dbl": [(448, _1X1), (384, _3X3), (384, _1X3, _3X1)],
            "branch_pool": [(192, _1X1)],
        },
    )


class InceptionV3(nn.Module):
    """Logits of the classes of an image, without the auxiliary ones, which only training uses.

    Args:
        classes: how many.
    """

    def __init__(self, classes: int):
        super().__init__()
        self.Conv2d_1a_3x3 = _conv(3, 32, _3X3, 2, same=False)
        self.Conv2d_2a_3x3 = _conv(32, 32, _3X3, same=False)
        self.Conv2d_2b_3x3 = _conv(32, 64, _3X3)
        self.Conv2d_3b_1x1 = _conv(64, 80, _1X1)
        self.Conv2d_4a_3x3 = _conv(80, 192, _3X3, same=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _a(192, 32), _a(256, 64), _a(288, 64)
        double = [(64, _1X1), (96, _3X3), (96, _3X3)]
        self.Mixed_6a = Mixed(288, {"branch3x3": [(384, _3X3)], "branch3x3dbl": double}, halves=True)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = _c(128), _c(160), _c(160), _c(192)
        seven = [(192, _1X1), (192, _1X7), (192, _7X1), (192, _3X3)]
        self.Mixed_7a = Mixed(
            768, {"branch3x3": [(192, _1X1), (320, _3X3)], "branch7x7x3": seven}, halves=True
        )
        self.Mixed_7b, self.Mixed_7c = _e(1280), _e(2048)
        self.fc = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> Tensor:  # (B, 3, 299, 299) in [-1, 1] to (B, classes)
        """Judge images; they are normalised a second time, as torchvision does in front of pretrained weights."""
        mean, std = x.new_tensor(_MEAN).view(3, 1, 1), x.new_tensor(_STD).view(3, 1, 1)
        x = (x * std + mean - 0.5) / 0.5
        for name, layer in self.named_children():
            if name in ("Conv2d_3b_1x1", "Mixed_5b"):
                x = F.max_pool2d(x, 3, 2)
            if name != "fc":
                x = layer(x)
        return self.fc(x.mean(dim=(2, 3)))
