"""How each system is trained: one Lightning module per recipe, named in the `task` of a method's config model."""

from importlib import import_module
from typing import TYPE_CHECKING

from torch import nn

from repose.config.methods import Learned

if TYPE_CHECKING:
    from repose.train.batches import TrainingData
    from repose.train.tasks.base import PoseTask


def task_of(method: Learned, network: nn.Module, data: "TrainingData", seed: int) -> "PoseTask":
    """The training of `network` as `method` says; imported by name, so that one recipe's code is no other's."""
    return import_module(f"repose.train.tasks.{method.task}").TASK(method, network, data, seed)
