"""Meshes, images and poses: a stage that tells them apart has a module for each, named alike."""

from importlib import import_module
from types import ModuleType
from typing import Literal, get_args

from repose.errors import ReposeError

Medium = Literal["meshes", "images", "poses"]  # poses: what a method generates, and is not told


def module_of(package: str, medium: str) -> ModuleType:
    """The module of a package that is for one medium, such as `repose.tables.meshes`.

    Args:
        package: dotted name, such as `repose.tables`.
        medium: as a method's settings or a manifest name it.

    Raises:
        ReposeError: there is no such medium.
    """
    if medium not in get_args(Medium):
        raise ReposeError(f"{medium!r} is no medium", hint=f"media are {', '.join(get_args(Medium))}")
    return import_module(f"{package}.{medium}")
