"""Resolve `like` in a configuration before it is checked.

A method that is `like` another one has all of its settings, except those that it gives itself; nested sections are
merged key by key. A method that is given a part of another one (`repose.methods.settings.Part`) takes the other's
settings of that part if it gives none itself.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from repose.config.checks import nearest
from repose.config.files import Key, line_of, merged
from repose.errors import ReposeError
from repose.methods.registry import installed

LIKE = "like"


def spelled_out(values: Mapping[str, Any], paths: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the values of a configuration with all settings of every method.

    Args:
        values: values merged from all files, so that the settings of a method also apply to methods that are like it.
        paths: files that are searched for the line of an error.

    Raises:
        ReposeError: a method is like one that does not exist, or indirectly like itself.
    """
    methods = values.get("methods")
    if not isinstance(methods, Mapping):
        return dict(values)
    whole = {name: _like_others(methods, name, paths) for name in methods}
    return {**values, "methods": {name: _with_parts(whole, name) for name in whole}}


def keys_of(key: Key, values: Mapping[str, Any]) -> list[Key]:
    """Return the possible keys of a value: its own, or those of methods that its method is like, nearest first."""
    methods = values.get("methods")
    if len(key) < 2 or key[0] != "methods" or not isinstance(methods, Mapping) or key[1] not in methods:
        return [key]
    return [("methods", name, *key[2:]) for name in _lineage(methods, str(key[1]), ())]


def _like_others(methods: Mapping[str, Any], name: str, paths: Sequence[Path]) -> Any:
    lineage = _lineage(methods, name, paths)
    if len(lineage) == 1:
        return methods[name]
    sections = (methods[each] for each in reversed(lineage))
    own = ({k: v for k, v in s.items() if k != LIKE} for s in sections if isinstance(s, Mapping))
    return reduce(merged, own)


def _lineage(methods: Mapping[str, Any], name: str, paths: Sequence[Path]) -> list[str]:
    """Return a method and those that it is like, the nearest first."""
    names = [name]
    while isinstance(section := methods[names[-1]], Mapping) and LIKE in section:
        base, key = section[LIKE], ("methods", names[-1], LIKE)
        if not isinstance(base, str) or base not in methods:
            raise ReposeError(
                f"{'.'.join(key)}: {base!r} is not defined",
                line_of([key], paths),
                nearest(str(base), methods),
            )
        if base in names:
            circle = " like ".join([*names[names.index(base) :], base])
            raise ReposeError(f"{'.'.join(key)}: {circle} is a circle", line_of([key], paths))
        names.append(base)
    return names


def _with_parts(methods: Mapping[str, Any], name: str, above: tuple[str, ...] = ()) -> Any:
    """Return the settings of a method, including those that it shares with methods whose parts it is given."""
    section = methods[name]
    architecture = section.get("architecture") if isinstance(section, Mapping) else None
    settings = installed().get(architecture) if isinstance(architecture, str) else None
    for part in settings.parts if settings else ():
        other = _at(section, part.key)
        # Methods that have no such part, or that are given it by each other, are refused by the checks.
        if isinstance(other, str) and other in methods and other not in (*above, name):
            theirs = _with_parts(methods, other, (*above, name))
            if _at(theirs, "architecture") == part.architecture:
                for own_key, their_key in part.alike.items():
                    section = merged(_nested(own_key, _at(theirs, their_key)), section)
    return section


_MISSING = object()


def _at(section: Any, key: str) -> Any:
    """Return the value at a dotted key, or `_MISSING`."""
    for part in key.split("."):
        if not isinstance(section, Mapping) or part not in section:
            return _MISSING
        section = section[part]
    return section


def _nested(key: str, value: Any) -> dict[str, Any]:
    """Return a mapping with only a value at a dotted key; empty if the value is `_MISSING`."""
    return (
        {}
        if value is _MISSING
        else reduce(lambda inner, part: {part: inner}, reversed(key.split(".")), value)
    )
