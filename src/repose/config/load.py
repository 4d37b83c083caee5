"""Read YAML files into a checked `Config`; an error names the key, its file and line, and the nearest valid name."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from repose.config.checks import did_you_mean, nearest, wrong
from repose.config.files import Key, line_of, merged, read
from repose.config.like import LIKE, keys_of, spelled_out
from repose.config.models import Config
from repose.errors import ReposeError
from repose.provenance.publish import write_text


def load_files(*paths: Path) -> Config:
    """Read config files; later ones override earlier ones, key by key (as Snakemake merges them).

    Raises:
        ReposeError: the config is invalid; one line gives key, file:line, what is wrong and the nearest valid name.
    """
    return _checked(reduce(merged, (read(path) for path in paths), {}), paths)


def check(values: Mapping[str, Any], paths: Sequence[Path] = ()) -> Config:
    """Check merged values; `paths` are searched for the line of a wrong key, the last file first.

    Raises:
        ReposeError: the config is invalid; one line gives key, file:line, what is wrong and the nearest valid name.
    """
    for path in paths:
        read(path)  # refuses duplicate keys, which a YAML reader silently drops
    return _checked(values, paths)


def _checked(written: Mapping[str, Any], paths: Sequence[Path]) -> Config:
    values = spelled_out(written, paths)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        key, what, hint = _explained(error, values)
        raise ReposeError(what, line_of(keys_of(key, written), paths), hint) from None
    for problem in wrong(config):
        raise ReposeError(problem.what, line_of(keys_of(problem.key, written), paths), problem.hint)
    return config


def resolve(config: Config, folder: Path) -> Path:
    """Write every value, defaults included, to a file named by its content, and return its path.

    Jobs read this file, so that edits of the config during a run do not affect them.
    """
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
    if path.exists():
        path.touch()  # the newest file is that of the last run, which `repose status` looks for
    else:
        write_text(path, text)
    return path


def _explained(error: ValidationError, values: Mapping[str, Any]) -> tuple[Key, str, str | None]:
    """Return the key of the first error, what is wrong there, and a hint."""
    # A misspelt key is both unknown and missing; the unknown one is more informative.
    first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    # Pydantic adds the tag of a union ("npt") to the location, but a tag is no key of the file.
    key = _without_tags(first["loc"], values)
    name, context = ".".join(map(str, key)) or "config", first.get("ctx", {})
    if first["type"] == "extra_forbidden":
        return key, f"unknown key {name!r}", nearest(str(key[-1]), _section(key[:-1], values).model_fields)
    if first["type"] == "missing":
        return key, f"key {name!r} is missing", None
    if first["type"] == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        hint = f"give it, or `{LIKE}` and the name of another method" if key[0] == "methods" else None
        return key, f"key '{name}.{tag}' is missing", hint
    if first["type"] == "union_tag_invalid":
        kind, tag = context["discriminator"].strip("'"), context["tag"]
        known = context["expected_tags"].replace("'", "").split(", ")
        listed = f"{'installed' if kind in ('architecture', 'source') else 'valid'}: {', '.join(known)}"
        hint = " ".join(filter(None, [did_you_mean(tag, known), listed]))
        return (*key, kind), f"{name}: unknown {kind} {tag!r}", hint
    return key, f"{name}: {first['msg']}, got {first['input']!r}", None


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


def _section(parent: Sequence[str | int], values: Mapping[str, Any]) -> type[BaseModel]:
    """Return the model class of the section at `parent`."""
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
    """Return the member of a tagged union that `values` belongs to, or a nullable section; others unchanged."""
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
