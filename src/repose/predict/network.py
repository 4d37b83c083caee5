"""The trained network of a method."""

from pathlib import Path

from torch import nn

from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build, count_parameters
from repose.methods.load import load_weights


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
