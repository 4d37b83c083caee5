"""Classes that packages provide by entry points: methods and datasets, in this package and in others.

Nothing slow may be imported here, because Snakemake reads this module at every start.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from repose.errors import ReposeError

Base = TypeVar("Base")


def offered(group: str, base: type[Base], what: str) -> dict[str, type[Base]]:
    """Return the classes of an entry-point group, by the names of their entry points, in the order of these names.

    Args:
        group: name of the group, such as `repose.methods`.
        base: the class that all of them inherit from.
        what: what one of them is called in messages, such as `architecture`.

    Raises:
        ReposeError: the group is empty, two packages offer the same name, or an entry point does not lead to such a
            class.
    """
    found: dict[str, type[Base]] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        if entry.name in found:
            raise ReposeError(
                f"two packages offer the {what} {entry.name!r}", entry.value, "uninstall one of them"
            )
        found[entry.name] = _load(entry, base, what)
    if not found:
        hint = "this installation is older than the program: install it again, `pip install -e .` or `make`"
        raise ReposeError(f"no {what} is installed", f"entry points {group}", hint)
    return found


def _load(entry: EntryPoint, base: type[Base], what: str) -> type[Base]:
    try:
        loaded = entry.load()
    except Exception as error:  # code of another package may raise any error
        raise ReposeError(
            f"the {what} {entry.name!r} cannot be imported: {error}",
            entry.value,
            "mend or uninstall its package",
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise ReposeError(f"the {what} {entry.name!r} is no class of {base.__name__}", entry.value)
    return loaded
