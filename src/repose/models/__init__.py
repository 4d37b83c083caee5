"""The pose-transfer systems, one module or package each, named like its `architecture` in the config.

Nothing is imported here until it is asked for: the import closure of one architecture must not hold the others, or
an edit of one system would retrain them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from repose.config.learned import Floor, Learnable

if TYPE_CHECKING:
    from torch import nn


def build(method: Learnable | Floor) -> "nn.Module":
    """Build a freshly initialised network; the settings of a method are the arguments of its constructor.

    Seed torch first: initialisation draws from its global generator.
    """
    return create(
        method.architecture, **method.model_dump(exclude={"architecture", "training", "weights_of"})
    )


def create(architecture: str, **settings: Any) -> "nn.Module":
    """Build a network by its architecture's name and the arguments of its constructor."""
    module = import_module(f"repose.models.{architecture.replace('-', '_')}")
    return module.NETWORK(**settings)


def count_parameters(network: "nn.Module") -> int:
    """Number of parameters as the papers count them, biases that a norm cancels included."""
    return sum(p.numel() for p in network.parameters())
