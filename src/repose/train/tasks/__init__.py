"""How each system is trained: one Lightning module per recipe, named in the `task` of a method's config model."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from torch import nn

from repose.config.learned import Learnable

if TYPE_CHECKING:
    from repose.store.images import ImageStore
    from repose.store.meshes import MeshStore
    from repose.train.tasks.base import Task


def task_of(
    method: Learnable,
    network: nn.Module,
    store: "MeshStore | ImageStore",
    splits: pd.DataFrame,
    seed: int,
    given: Mapping[str, Path],
) -> "Task":
    """The training of `network` as `method` says; imported by name, so that one recipe's code is no other's.

    The recipe reads the split itself, so that one that needs no truth is given none.
    """
    task = import_module(f"repose.train.tasks.{method.task}").TASK
    data = task.read(method, store, splits)
    return task(method, network, replace(data, given=given) if given else data, seed)
