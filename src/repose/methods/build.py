"""From the settings of a method to its network and its training.

Nothing is imported here until it is asked for: the import closure of one method must not hold the others, or
an edit of one system would retrain them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from repose.errors import ReposeError
from repose.methods.registry import settings_of
from repose.methods.settings import MethodSettings

if TYPE_CHECKING:
    from torch import nn


def imported(reference: str) -> Any:
    """What `module:name` stands for."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def build(method: MethodSettings) -> "nn.Module":
    """Build a freshly initialised network; the settings of a method are its arguments.

    Seed torch first: initialisation draws from its global generator.
    """
    return imported(method.network)(**method.model_dump(exclude=set(method.not_of_network)))


def create(architecture: str, **settings: Any) -> "nn.Module":
    """Build a network by its architecture's name and its arguments.

    Raises:
        ReposeError: no such architecture is installed.
    """
    return imported(settings_of(architecture).network)(**settings)


def recipe_of(method: MethodSettings) -> Any:
    """The class that trains a method, a `repose.methods.recipe.TrainingRecipe`.

    Raises:
        ReposeError: the method has nothing to train.
    """
    if method.recipe is None:
        raise ReposeError(f"{method.architecture} has nothing to train")
    return imported(method.recipe)


def count_parameters(network: "nn.Module") -> int:
    """Number of parameters as the papers count them, biases that a norm cancels included."""
    return sum(p.numel() for p in network.parameters())
