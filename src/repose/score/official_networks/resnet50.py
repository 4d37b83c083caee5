"""ResNet-50 (He et al., CVPR 2016), its parameters named as torchvision names them."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

_BLOCKS = ((64, 3), (128, 4), (256, 6), (512, 3))  # width and number of the blocks of a stage
_WIDER = 4  # times the width leaves a block


class Bottleneck(nn.Module):
    """Three convolutions, the middle one of 3×3 with the stride, beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        outputs = _WIDER * width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if inputs != outputs:
            self.downsample.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.downsample.append(nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, 4 · width, H, W), of half the size with stride 2."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNet50(nn.Module):
    """Logits of an image.

    Args:
        outputs: how many.
    """

    def __init__(self, outputs: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        channels = 64
        for stage, (width, count) in enumerate(_BLOCKS, 1):
            blocks = nn.Sequential()
            for number in range(count):
                blocks.append(Bottleneck(channels, width, 2 if stage > 1 and number == 0 else 1))
                channels = _WIDER * width
            self.add_module(f"layer{stage}", blocks)
        self.fc = nn.Linear(channels, outputs)

    def forward(self, x: Tensor) -> Tensor:  # (B, 3, 224, 224) to (B, outputs)
        """Judge normalised images."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(1, len(_BLOCKS) + 1):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(x.mean(dim=(2, 3)))
