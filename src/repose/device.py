"""Where networks run, how exactly they multiply, and in which order they add: set explicitly, never a default."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from repose.errors import ReposeError

if TYPE_CHECKING:
    from repose.config.models import Compute


def device_of(compute: "Compute") -> torch.device:
    """The device that a network runs on, with the precision of its products set for this process.

    `fp32`: products of float32 numbers as they are, also where torch's default would be another one. `tf32`: of
    shortened numbers, TF32 on a GPU, bfloat16 on a CPU that multiplies those, summed in float32. `bf16` is a matter of
    the trainer, which casts what autocast casts; all other products are those of `fp32`.

    On a GPU operations are of a fixed order from then on, so that predictions, too, can be repeated to the bit.

    Raises:
        ReposeError: a GPU is asked for and there is none; what a result depends on is not changed in silence.
    """
    there = torch.cuda.is_available()
    if compute.device == "cuda" and not there:
        raise ReposeError(
            "no GPU here", "compute.device: cuda", "run it where there is one, or say cpu or auto"
        )
    device = torch.device("cuda" if there and compute.device != "cpu" else "cpu")
    shortened = compute.precision == "tf32"
    products = {"cuda": "high", "cpu": "medium"}[device.type] if shortened else "highest"
    torch.set_float32_matmul_precision(products)
    torch.backends.cudnn.allow_tf32 = shortened
    if device.type == "cuda":
        in_fixed_order()
    return device


def in_fixed_order() -> None:
    """Ask for operations that add in a fixed order; of those that have none torch raises an error on a GPU."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # as cuBLAS reads it when it is first used
    torch.use_deterministic_algorithms(True)


@contextmanager
def fixed_order() -> Iterator[None]:
    """Such operations inside of the block."""
    before = torch.are_deterministic_algorithms_enabled()
    in_fixed_order()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
