"""What every network of images takes and gives back."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Drawn(NamedTuple):
    """What a method says about the target image.

    Attributes:
        image: (B, 3, H, W) in [-1, 1], or None from a network that only finds the flow.
        flow: (B, 2, H, W), x and y of the way to the source, pixels; meaningless on the background; None without it.
        visibility: (B, 1, H, W), classes 0 visible, 1 invisible, 2 background; None if not known.
        share: (B, 1, H, W), how much of the image is the warped source; None if nothing was blended.
    """

    image: Tensor | None
    flow: Tensor | None = None
    visibility: Tensor | None = None
    share: Tensor | None = None
