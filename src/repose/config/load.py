"""Read YAML files into a checked `Config`; an error names the key, its file and line, and the nearest valid name."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from repose.config.checks import nearest, wrong
from repose.config.models import Config
from repose.errors import ReposeError
from repose.provenance.publish import write_text

MERGE = "tag:yaml.org,2002:merge"
# The compiled one where there is one, as every job reads a config.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_files(*paths: Path) -> Config:
    """Read config files, later ones on top of earlier ones, key by key (as Snakemake merges them)."""
    merged: dict[str, Any] = {}
    for path in paths:
        merged = _merge(merged, _plain(_compose(path), path))
    return check(merged, paths)


def check(values: Mapping[str, Any], paths: Sequence[Path] = ()) -> Config:
    """Check merged values; `paths` are searched for the line of a wrong key, the last file first.

    Raises:
        ReposeError: one line with key, file:line, what is wrong and the nearest valid name.
    """
    for path in paths:
        _plain(_compose(path), path)  # refuses duplicate keys, which a YAML reader silently drops
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise _explain(error, values, paths) from None
    for problem in wrong(config):
        raise ReposeError(problem.what, _line_of(problem.key, paths), problem.hint)
    return config


def resolve(config: Config, folder: Path) -> Path:
    """Write every value, defaults included, to a file named by its content, and return its path.

    Jobs read this file, so that a config edited while they run cannot reach them.
    """
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
    if not path.exists():
        write_text(path, text)
    return path


def load_resolved(path: Path) -> Config:
    """Read what `resolve` wrote, or any single complete config file."""
    return load_files(path)


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


def _merge(base: dict[str, Any], top: Mapping[str, Any] | None) -> dict[str, Any]:
    merged = dict(base)
    for key, value in (top or {}).items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _explain(error: ValidationError, values: Mapping[str, Any], paths: Sequence[Path]) -> ReposeError:
    # A misspelt key is both unknown and missing; the unknown one says more.
    first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    # Pydantic puts the tag of a union ("npt") into the location; a tag is no key of the file.
    key = _without_tags(first["loc"], values)
    name = ".".join(map(str, key)) or "config"
    what, hint = f"{name}: {first['msg']}, got {first['input']!r}", None
    if first["type"] == "extra_forbidden":
        what = f"unknown key {name!r}"
        hint = nearest(str(key[-1]), _section(key[:-1], values).model_fields)
    elif first["type"] == "missing":
        what = f"key {name!r} is missing"
    elif first["type"] == "union_tag_invalid":
        tag, tags = first["ctx"]["tag"], first["ctx"]["expected_tags"].replace("'", "").split(", ")
        kind = first["ctx"]["discriminator"].strip("'")
        what, hint = f"{name}: unknown {kind} {tag!r}", nearest(tag, tags)
    return ReposeError(what, where=_line_of(key, paths), hint=hint)


def _without_tags(location: Sequence[str | int], values: Any) -> tuple[str | int, ...]:
    key: list[str | int] = []
    for position, part in enumerate(location):
        is_container = isinstance(values, Mapping | list)
        inside = (isinstance(values, Mapping) and part in values) or (
            isinstance(values, list) and part != "[key]"
        )
        if is_container and (inside or position == len(location) - 1):
            key.append(part)
            values = (
                values[part] if inside and (not isinstance(values, list) or isinstance(part, int)) else None
            )
    return tuple(key)


def _line_of(key: Sequence[str | int], paths: Sequence[Path]) -> str:
    """`file:line` of the longest part of `key` that a file has, the last file first."""
    best, where = -1, "command line"
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


def _section(parent: Sequence[str | int], values: Mapping[str, Any]) -> type[BaseModel]:
    """The model class that describes the section at `parent`."""
    section: Any = Config
    for part in parent:
        values = values[part]  # type: ignore[index]
        if isinstance(section, type) and issubclass(section, BaseModel):
            section = section.model_fields[str(part)].annotation
        else:
            section = get_args(section)[-1]  # the value type of dict[Name, ...]
        section = _chosen(section, values)
    return section


def _chosen(annotation: Any, values: Any) -> Any:
    """The member of a tagged union that `values` belongs to, or the section that may be null; others as they are."""
    if isinstance(annotation, UnionType) and get_args(annotation)[1:] == (NoneType,):
        return get_args(annotation)[0]
    members = [m for option in get_args(annotation) for m in (get_args(option) or (option,))]
    for model in members:
        if isinstance(model, type) and issubclass(model, BaseModel):
            for tag in ("source", "architecture"):
                options = get_args(model.model_fields[tag].annotation) if tag in model.model_fields else ()
                if isinstance(values, Mapping) and values.get(tag) in options:
                    return model
    return annotation
