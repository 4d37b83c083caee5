"""Which methods there are: the entry points of the group `repose.methods`, ours and those of other packages alike.

An entry point is named like the `architecture` in the configuration and leads to a class of settings, a
`repose.methods.settings.MethodSettings`. It imports no torch, since Snakemake reads it at every start.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from repose.errors import ReposeError
from repose.methods.settings import MethodSettings

GROUP = "repose.methods"


@cache
def installed() -> dict[str, type[MethodSettings]]:
    """The settings of every installed method, by architecture.

    Raises:
        ReposeError: two packages offer one architecture, or an entry point leads to something else.
    """
    found: dict[str, type[MethodSettings]] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        if entry.name in found:
            raise ReposeError(
                f"two packages offer the architecture {entry.name!r}", entry.value, "uninstall one of them"
            )
        found[entry.name] = _load(entry)
    return found


def settings_of(architecture: str) -> type[MethodSettings]:
    """The class of settings of an architecture.

    Raises:
        ReposeError: it is not installed; the hint names those that are.
    """
    try:
        return installed()[architecture]
    except KeyError:
        raise ReposeError(
            f"no architecture {architecture!r} is installed", hint=f"installed: {', '.join(installed())}"
        ) from None


def _load(entry: EntryPoint) -> type[MethodSettings]:
    try:
        loaded = entry.load()
    except Exception as error:  # code of another package may raise anything
        raise ReposeError(
            f"the architecture {entry.name!r} cannot be imported: {error}",
            entry.value,
            "mend or uninstall its package",
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, MethodSettings)):
        raise ReposeError(f"the architecture {entry.name!r} is no class of settings", entry.value)
    return loaded
