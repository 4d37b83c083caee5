"""Read YAML files and find the lines of their values."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from repose.errors import ReposeError
from repose.reading import read_text

Key = Sequence[str | int]  # path from the top of a file to one value: ("methods", "npt", "width")
MERGE = "tag:yaml.org,2002:merge"
MAX_BYTES = 4 << 20
MAX_VALUES = 200_000
LONGEST_NUMBER = 1000
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
# The compiled loader if it is available, because every job reads a config.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> Any:
    """Return the values of a YAML file.

    Raises:
        ReposeError: there is no such file, it is not YAML, a key is given twice (which a YAML reader would drop), or it
            contains itself or more than `MAX_VALUES` values.
    """
    node = _compose(path)
    if node is None:
        return None
    if not isinstance(node, yaml.MappingNode):
        raise ReposeError("not a config: it has no keys", where=path)
    try:
        return _Reader(path).value(node)
    except RecursionError:
        raise ReposeError("not a config: it holds itself, or is nested too deep", where=path) from None


def merged(base: Mapping[str, Any], top: Mapping[str, Any] | None) -> dict[str, Any]:
    """Merge `top` into `base`, key by key, as Snakemake merges config files."""
    result = dict(base)
    for key, value in (top or {}).items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def line_of(keys: Iterable[Key], paths: Sequence[Path]) -> str:
    """Return `file:line` of the longest prefix of a key that a file contains.

    Args:
        keys: possible keys of the value; of equally long prefixes, that of the first key counts.
        paths: files, of which later ones override earlier ones; the last file that contains the key counts.
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
    if not path.is_file():
        raise ReposeError("no such config file", path, "run this from the project's root, or give --config")
    text = read_text(path, MAX_BYTES)
    try:
        return yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ReposeError(f"not valid YAML: {error.problem}", where=f"{path}:{line}") from None
    except yaml.YAMLError as error:
        raise ReposeError(f"not valid YAML: {error}", where=path) from None
    except RecursionError:
        raise ReposeError("not a config: it is nested too deep", where=path) from None


class _Reader:
    """Converts the YAML nodes of a file to values, with their merges (`<<: *anchor`)."""

    def __init__(self, path: Path):
        self.path, self.made = path, 0

    def value(self, node: yaml.Node) -> Any:
        """Return a mapping, list or scalar; a key given twice is refused."""
        self.made += 1
        if self.made > MAX_VALUES:  # nested anchors double the number of values with each line
            raise self._wrong(node, f"its anchors stand for more than {MAX_VALUES} values")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        # parsing digits in base 60 takes very long
        if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise self._wrong(node, f"a number of {len(node.value)} characters")
        try:
            return yaml.constructor.SafeConstructor().construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError, AttributeError, KeyError) as error:
            raise self._wrong(
                node, f"not a plain value: {getattr(error, 'problem', None) or error}"
            ) from None

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        inherited: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                for one in reversed(_merges(value)):  # the first one takes precedence
                    if not isinstance(one, yaml.MappingNode):
                        raise self._wrong(key, "what is merged by `<<` is no mapping")
                    inherited |= self.value(one)  # which counts it: merges double like anchors
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise self._wrong(key, "a key is no text")
            if key.value in values:
                raise self._wrong(key, f"key {key.value!r} is given twice", "keep one")
            values[key.value] = self.value(value)
        return inherited | values

    def _wrong(self, node: yaml.Node, what: str, hint: str | None = None) -> ReposeError:
        return ReposeError(what, f"{self.path}:{node.start_mark.line + 1}", hint)


def _merges(value: yaml.Node) -> list[yaml.Node]:
    """Return the nodes after a `<<`: one mapping, or a list of them."""
    return value.value if isinstance(value, yaml.SequenceNode) else [value]


def _child(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
        for key, value in node.value:
            for one in _merges(value) if key.tag == MERGE else []:
                if found := _child(one, part):
                    return found
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None
