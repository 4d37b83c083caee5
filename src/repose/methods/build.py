"""From the settings of a method to its network and its training.

Nothing is imported here until it is asked for: the import closure of one method must not hold the others, or
an edit of one system would retrain them all.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
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


def recipe_for(
    method: MethodSettings,
    network: "nn.Module",
    store: Any,
    splits: Any,
    seed: int,
    given: Mapping[str, Path],
) -> Any:
    """The training of `network` as `method` says.

    The recipe reads the split itself, so that one that needs no truth is given none.

    Args:
        store: the packed meshes or images.
        splits: triples, or pairs of images, with their roles.
        seed: fixes the order of batches and all draws.
        given: what else the method reads, by name: distances, neighbours, weights of other trainings.
    """
    recipe = recipe_of(method)
    data = recipe.read(method, store, splits)
    return recipe(method, network, replace(data, given=given) if given else data, seed)


def count_parameters(network: "nn.Module") -> int:
    """Number of parameters as the papers count them, biases that a norm cancels included."""
    return sum(p.numel() for p in network.parameters())
