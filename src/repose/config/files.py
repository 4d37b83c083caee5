"""YAML files as values that know their lines."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from repose.errors import ReposeError

Key = Sequence[str | int]  # from the top of a file down to one value: ("methods", "npt", "width")
MERGE = "tag:yaml.org,2002:merge"
# The compiled one where there is one, as every job reads a config.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> Any:
    """The values of a YAML file.

    Raises:
        ReposeError: there is no such file, it is no YAML, or it gives a key twice, which a YAML reader would drop.
    """
    return _plain(_compose(path), path)


def merged(base: Mapping[str, Any], top: Mapping[str, Any] | None) -> dict[str, Any]:
    """`top` on `base`, key by key, as Snakemake merges config files."""
    result = dict(base)
    for key, value in (top or {}).items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def line_of(keys: Iterable[Key], paths: Sequence[Path]) -> str:
    """`file:line` of the longest part of a key that a file has.

    Args:
        keys: where the value may stand; of parts equally long, that of the first key counts.
        paths: files, later ones on top of earlier ones; the last file that has it counts.
    """
    best, where = -1, "command line"
    for key in keys:
        for path in reversed(paths):
            node, depth, line = _compose(path), 0, 1
            for part in key:
                found = _child(node, part)
                if found is None:
                    break
                (line, node), depth = found, depth + 1
            if depth > best:
                best, where = depth, f"{path}:{line}"
    return where


def _compose(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except FileNotFoundError:
        raise ReposeError("no such config file", where=path) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ReposeError(f"not valid YAML: {error.problem}", where=f"{path}:{line}") from None


def _plain(node: yaml.Node | None, path: Path) -> Any:
    """The value of a YAML node with its merges (`<<: *anchor`); a mapping with a key given twice is refused."""
    if isinstance(node, yaml.MappingNode):
        inherited: dict[Any, Any] = {}
        values: dict[Any, Any] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                inherited |= _plain(value, path)
                continue
            if key.value in values:
                raise ReposeError(
                    f"key {key.value!r} is given twice",
                    where=f"{path}:{key.start_mark.line + 1}",
                    hint="keep one",
                )
            values[key.value] = _plain(value, path)
        return inherited | values
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, path) for item in node.value]
    return None if node is None else yaml.constructor.SafeConstructor().construct_object(node)


def _child(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
        for key, value in node.value:
            if key.tag == MERGE and (found := _child(value, part)):
                return found
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None
