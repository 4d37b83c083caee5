"""Build the network and the training of a method from its settings.

No method is imported before it is asked for: the code hash of one method must not cover the others, or an edit of one
system would retrain them all.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repose.errors import ReposeError
from repose.methods.registry import settings_of
from repose.methods.settings import MethodSettings, Told

if TYPE_CHECKING:
    from torch import nn


def imported(reference: str) -> Any:
    """Import and return the object that `module:name` refers to."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def build(method: MethodSettings) -> "nn.Module":
    """Build a freshly initialised network; the settings of a method are its arguments.

    Seed torch first: initialisation draws from its global generator.

    Raises:
        ReposeError: what is built is no network of the method's medium, or it is told more than the settings say.
    """
    network = imported(method.network)(**method.model_dump(exclude=set(method.not_of_network)))
    if method.compared:
        _check(method, network)
    return network


def _check(method: MethodSettings, network: "nn.Module") -> None:
    """Check that a network follows the protocol of its medium and is told no more than tables state."""
    from repose.methods import interface

    told: dict[Told, bool] = {}
    match network:
        case interface.TransferNetwork() if method.medium == "meshes":
            told = {
                Told.REGISTRATION: network.ordered,
                Told.REST_BODIES: isinstance(network.rest_pose, int),
                Told.ANSWER: network.rest_pose == "identity",
            }
        case interface.ImageNetwork() if method.medium == "images":
            told = {Told.ANSWER: network.oracle}
        case interface.PoseGenerator() if method.medium == "poses":
            told = {Told.REST_BODIES: True, Told.ANSWER: network.oracle}
        case _:
            raise ReposeError(
                f"{method.architecture}: {method.network} makes no network of {method.medium}",
                hint="repose.methods.interface says what one has",
            )
    for what in (what for what, is_told in told.items() if is_told and what not in method.told):
        raise ReposeError(
            f"{method.architecture}: its network is told its {what}, which its settings do not say",
            hint="`told` of the settings names all that it is told",
        )


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

    The recipe reads the split itself, so that a recipe that needs no ground truth never reads any.

    Args:
        store: the packed meshes or images.
        splits: triples, or pairs of images, with their roles.
        seed: fixes the order of batches and all draws.
        given: paths of what else the method reads, by name: distances, neighbours, weights of other trainings.
    """
    recipe = recipe_of(method)
    data = recipe.read(method, store, splits)
    return recipe(method, network, replace(data, given=given) if given else data, seed)


def count_parameters(network: "nn.Module") -> int:
    """Number of parameters as the papers count them, including biases that a normalisation cancels."""
    return sum(p.numel() for p in network.parameters())
