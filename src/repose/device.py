"""Device, precision and order of summation of networks, which are set explicitly and never left to defaults."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from repose.errors import ReposeError

if TYPE_CHECKING:
    from repose.config.models import Compute


def device_of(compute: "Compute") -> torch.device:
    """Return the device that a network runs on, and set the precision of matrix products for this process.

    `fp32`: products of full float32 numbers, even if torch's default differs. `tf32`: products of shortened numbers
    (TF32 on a GPU, bfloat16 on a CPU that supports it), summed in float32. `bf16` is left to the trainer's autocast;
    all other products are as in `fp32`.

    On a GPU operations have a fixed order from then on, so that predictions can also be repeated to the bit.

    Raises:
        ReposeError: a GPU is asked for and there is none; settings that affect a result are never changed silently.
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
    """Make torch add in a fixed order; on a GPU it raises an error for operations that cannot."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it at its first use
    torch.use_deterministic_algorithms(True)


@contextmanager
def fixed_order() -> Iterator[None]:
    """Use such operations inside the block."""
    before = torch.are_deterministic_algorithms_enabled()
    in_fixed_order()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
