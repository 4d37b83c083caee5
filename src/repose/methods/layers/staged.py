"""A sum of losses whose gradients are taken one loss at a time.

Several losses on shared features would keep all their intermediates until the one backward pass. Here each loss is
differentiated as soon as it is known and its intermediates are freed, so that the peak memory is that of the largest
loss; the sum and its gradient are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Stages = Callable[..., Iterable[Tensor]]


class _Staged(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, stages: Stages, shared_count: int, *inputs: Tensor) -> Tensor:
        leaves = [x.detach().requires_grad_() for x in inputs[:shared_count]]
        sources = [*leaves, *inputs[shared_count:]]
        gradients: list[Tensor | None] = [None] * len(sources)
        total = torch.zeros(
            (), dtype=torch.promote_types(inputs[0].dtype, torch.float32), device=inputs[0].device
        )
        with torch.enable_grad():
            for loss in stages(*leaves):
                total = total + loss.detach()
                # Outside autocast, as in a backward pass of its own.
                with torch.autocast(loss.device.type, enabled=False):
                    found = torch.autograd.grad(loss, sources, allow_unused=True)
                for k, g in enumerate(found):
                    if g is not None:
                        held = gradients[k]
                        # adding in place would change aliases of g
                        gradients[k] = g if held is None else held + g
                # Autocast caches half-precision copies of parameters, whose graph is now freed.
                torch.clear_autocast_cache()
        ctx.gradients = gradients
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        gradients, ctx.gradients = ctx.gradients, None
        return None, None, *(None if g is None else grad.to(g.dtype) * g for g in gradients)


def sum_of_stages(
    stages: Stages,
    shared: Sequence[Tensor],
    parameters: Iterable[Tensor],
) -> Tensor:
    """Sum the scalar losses that `stages(*shared)` yields.

    Args:
        stages: yields losses; a loss that uses tensors of another one must detach them.
        shared: tensors that several of them use, with the graph that made them.
        parameters: everything else that a gradient must reach.
    """
    return _Staged.apply(stages, len(shared), *shared, *(p for p in parameters if p.requires_grad))
