"""The registry of methods: the entry points of the group `repose.methods`, in this package and in others.

An entry point is named like the `architecture` in the configuration and leads to a class of settings, a
`repose.methods.settings.MethodSettings`. Its module must not import torch, because Snakemake reads it at every start.
"""

from functools import cache

from repose.errors import ReposeError
from repose.methods.settings import MethodSettings
from repose.plugins import offered

GROUP = "repose.methods"


@cache
def installed() -> dict[str, type[MethodSettings]]:
    """Return the settings class of every installed method, by architecture.

    Raises:
        ReposeError: none is installed, two packages offer the same architecture, or an entry point does not lead to a
            settings class.
    """
    return offered(GROUP, MethodSettings, "architecture")


def settings_of(architecture: str) -> type[MethodSettings]:
    """Return the settings class of an architecture.

    Raises:
        ReposeError: it is not installed; the hint names those that are.
    """
    try:
        return installed()[architecture]
    except KeyError:
        raise ReposeError(
            f"no architecture {architecture!r} is installed", hint=f"installed: {', '.join(installed())}"
        ) from None
