"""The learned pose-transfer systems, one file or folder each.

Nothing is imported here until it is asked for: the import closure of one architecture must not
hold the others, or an edit of one system would retrain them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from repose.errors import ReposeError

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURES = {
    "npt": ("repose.models.npt", "NPT"),
    "corenet": ("repose.models.corenet", "CoreNet"),
}


def build(config: Mapping[str, Any]) -> nn.Module:
    """Build a freshly initialised network from plain data.

    Args:
        config: `architecture` (a key of `ARCHITECTURES`); every other key is an argument of the
            network's constructor. Seed torch first: initialisation draws from its global generator.

    Raises:
        ReposeError: unknown architecture, or an argument its constructor does not have.
    """
    options = dict(config)
    name = options.pop("architecture", None)
    if name not in ARCHITECTURES:
        raise ReposeError(f"unknown architecture {name!r}", hint=f"one of {', '.join(sorted(ARCHITECTURES))}")
    module, cls = ARCHITECTURES[name]
    try:
        return getattr(import_module(module), cls)(**options)
    except TypeError as error:
        raise ReposeError(f"architecture {name!r} cannot be built: {error}") from error
