"""Denoising diffusion (Ho et al., NeurIPS 2020): how noise is added and removed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

STEPS = 1000
_FIRST, _LAST = 1e-4, 5e-2  # variances of the noise of the first and last step, as published


class Noise:
    """The noise schedule: a thousand steps from data of unit variance to pure noise."""

    def __init__(self) -> None:
        self.variances = torch.linspace(_FIRST, _LAST, STEPS, dtype=torch.float64)
        # (STEPS,) variance of the data that remains after each step
        self.kept = (1 - self.variances).cumprod(0)

    def added(
        self,
        x: Tensor,  # (B, ...)
        step: Tensor,  # (B,) int64, 0 … STEPS - 1
        noise: Tensor,  # like x
    ) -> Tensor:
        """Return the data with the noise of all steps up to and including `step`."""
        kept = self._kept(x, step)
        return kept.sqrt().to(x) * x + (1 - kept).sqrt().to(x) * noise

    def velocity(self, x: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """Return √kept · noise - √(1 - kept) · x (Salimans & Ho, ICLR 2022), mostly data where little data is left."""
        kept = self._kept(x, step)
        return kept.sqrt().to(x) * noise - (1 - kept).sqrt().to(x) * x

    def in_velocity(self, velocity: Tensor, noisy: Tensor, step: Tensor) -> Tensor:
        """Return the noise in noisy data with this velocity."""
        kept = self._kept(noisy, step)
        return (1 - kept).sqrt().to(noisy) * noisy + kept.sqrt().to(noisy) * velocity

    def removed(
        self,
        denoise: Callable[[Tensor, Tensor], Tensor],
        x: Tensor,  # (B, ...) pure noise
        steps: int | None = None,
        draw: torch.Generator | None = None,
    ) -> Tensor:
        """Sample data from noise.

        Args:
            denoise: predicts the noise in `x` after a step (B,).
            x: standard normal.
            steps: None: all steps, each with new noise from `draw` (DDPM, with the posterior's variance); or this many,
                evenly spaced and without new noise (DDIM; Song et al., ICLR 2021).
            draw: random numbers, on the CPU.
        """
        times = torch.linspace(STEPS - 1, 0, steps or STEPS).round().long().tolist()
        for time, following in zip(times, [*times[1:], -1], strict=True):
            guess = denoise(x, torch.full((len(x),), time, device=x.device))
            kept, variance = float(self.kept[time]), float(self.variances[time])
            left = float(self.kept[following]) if following >= 0 else 1.0
            if steps is None:
                x = (x - variance / (1 - kept) ** 0.5 * guess) / (1 - variance) ** 0.5
                if following >= 0:
                    spread = (variance * (1 - left) / (1 - kept)) ** 0.5
                    x = x + spread * torch.randn(x.shape, generator=draw).to(x)
            else:
                clean = (x - (1 - kept) ** 0.5 * guess) / kept**0.5
                x = left**0.5 * clean + (1 - left) ** 0.5 * guess
        return x

    def _kept(self, x: Tensor, step: Tensor) -> Tensor:  # (B, 1, …)
        return self.kept.to(x.device)[step].reshape(-1, *[1] * (x.ndim - 1))
