"""The trained network of a method."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from repose.cards import take
from repose.config.models import Compute, Method
from repose.device import device_of
from repose.errors import ReposeError
from repose.methods.build import build, count_parameters
from repose.methods.load import load_weights


def opened(method: Method, weights: Path | None, compute: Compute) -> tuple[Any, str]:
    """The network of a method, where this process computes from now on, and the name of that device.

    Args:
        method: its settings.
        weights: as for `load_network`.
        compute: the device, the precision of products and the CPU threads.

    Raises:
        ReposeError: see `load_network`, or a GPU is asked for and there is none.
    """
    torch.set_num_threads(compute.threads)
    if compute.device != "cpu":
        take(1)
    network = load_network(method, weights)
    device = device_of(compute).type
    return network.to(device), device


def load_network(method: Method, weights: Path | None) -> nn.Module:
    """Build the network of a method and load its weights; every key and shape must fit.

    Args:
        weights: `model.safetensors`, or None for a method without parameters.

    Raises:
        ReposeError: the weights are of another network, or are missing. Random weights are never used.
    """
    network = build(method)
    if weights is None:
        if count_parameters(network):
            raise ReposeError(f"{method.architecture} needs trained weights")
        return network.eval()
    return load_weights(network, weights, method.architecture)
