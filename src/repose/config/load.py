"""Read YAML files into a checked `Config`; an error names the key, its file and line, and the nearest valid name."""

import difflib
import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from repose.config.image_methods import FlowRegression, FlowTransfer, ImageFeatures, ImageScorer
from repose.config.learned import Learnable
from repose.config.methods import Npr
from repose.config.models import Config
from repose.errors import ReposeError
from repose.provenance.publish import write_text

MERGE = "tag:yaml.org,2002:merge"


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
    _check_names(config, paths)
    _check_truth(config, paths)
    _check_kinds(config, paths)
    _check_starts(config, paths)
    _check_devices(config, paths)
    _check_scorers(config, paths)
    _check_shared(config, paths)
    return config


def _check_names(config: Config, paths: Sequence[Path]) -> None:
    """Every name a table uses must be defined."""
    for table, rows in config.tables.items():
        named: list[tuple[str, Collection[str], Collection[str]]] = [
            ("datasets", rows.datasets, config.datasets),
            ("methods", rows.methods, config.methods),
            ("more_seeds", rows.more_seeds, rows.methods),
        ]
        for kind, names, known in named:
            for position, name in enumerate(names):
                if name not in known:
                    where = _line_of(
                        ("tables", table, kind, name if kind == "more_seeds" else position), paths
                    )
                    raise ReposeError(
                        f"tables.{table}.{kind}: {name!r} is not defined", where, _nearest(name, known)
                    )


def _check_truth(config: Config, paths: Sequence[Path]) -> None:
    """A table scores transfers between identities, so that its datasets must hold their truth."""
    for table, rows in config.tables.items():
        for position, name in enumerate(rows.datasets):
            if not config.datasets[name].has_truth:
                raise ReposeError(
                    f"tables.{table}.datasets: {name!r} holds no truth of a transfer",
                    _line_of(("tables", table, "datasets", position), paths),
                    "its meshes are for training without truth, or for transfers to and from other datasets",
                )


def _check_kinds(config: Config, paths: Sequence[Path]) -> None:
    """A table compares methods of meshes on meshes, or of images on images, and the latter by one perceptual loss."""
    for table, rows in config.tables.items():
        kind = config.kind_of(table)
        named: list[tuple[str, list[str], Mapping[str, Any]]] = [
            ("methods", rows.methods, config.methods),
            ("datasets", rows.datasets, config.datasets),
        ]
        for section, names, known in named:
            for position, name in enumerate(names):
                if known[name].kind != kind:
                    raise ReposeError(
                        f"tables.{table}.{section}: {name!r} is of {known[name].kind}, "
                        f"{rows.methods[0]!r} of {kind}",
                        _line_of(("tables", table, section, position), paths),
                        "give them tables of their own",
                    )
        losses = {
            name: method.training.perceptual
            for name in rows.methods
            if isinstance(method := config.methods[name], FlowTransfer)
        }
        if len(set(losses.values())) > 1:
            raise ReposeError(
                f"tables.{table}.methods: {' and '.join(losses)} differ in training.perceptual",
                _line_of(("tables", table, "methods"), paths),
                "methods of one table share it, or they do not compare",
            )


def _check_scorers(config: Config, paths: Sequence[Path]) -> None:
    """What judges the images of a dataset is a scorer."""
    for name, dataset in config.datasets.items():
        scorer = getattr(dataset, "scorer", None)
        if scorer is None:
            continue
        what, where = f"datasets.{name}.scorer", _line_of(("datasets", name, "scorer"), paths)
        if scorer not in config.methods:
            raise ReposeError(f"{what}: {scorer!r} is not defined", where, _nearest(scorer, config.methods))
        if not isinstance(config.methods[scorer], ImageScorer):
            raise ReposeError(f"{what}: {scorer!r} is not of architecture image-scorer", where)


def _check_starts(config: Config, paths: Sequence[Path]) -> None:
    """A method that is given a part of another one has the same settings of that part."""
    parts: dict[str, tuple[type, tuple[str, ...]]] = {
        "features": (ImageFeatures, ()),
        "flow": (FlowRegression, ("flow_network", "joints", "radius")),
        "generator": (
            FlowTransfer,
            (
                "generator",
                "width",
                "widest",
                "levels",
                "warped_levels",
                "gate",
                "joints",
                "radius",
                "faithful",
            ),
        ),
    }
    for name, method in config.methods.items():
        for part, other in method.starts_from.items():
            key = "perceptual.method" if part == "features" else part
            where = _line_of(("methods", name, "training", *key.split(".")), paths)
            what = f"methods.{name}.training.{key}"
            if other not in config.methods:
                raise ReposeError(f"{what}: {other!r} is not defined", where, _nearest(other, config.methods))
            model, settings = parts[part]
            given = config.methods[other]
            if not isinstance(given, model) or (part == "generator" and given.starts_from.get(part)):
                raise ReposeError(f"{what}: {other!r} has no {part} of its own to give", where)
            for setting in settings:
                if getattr(given, setting) != getattr(method, setting):
                    raise ReposeError(
                        f"{what}: {other!r} has another {setting}", where, "give both methods the same"
                    )


def _check_devices(config: Config, paths: Sequence[Path]) -> None:
    """Devices share a batch evenly, or the average of their gradients is not that of the batch."""
    for name, method in config.methods.items():
        devices = config.compute.devices_of(method)
        if isinstance(method, Learnable) and method.training.batch % devices:
            raise ReposeError(
                f"methods.{name}.training.batch: {method.training.batch} cannot be shared by {devices} devices",
                _line_of(("methods", name, "training", "batch"), paths),
                f"a multiple of {devices}, or compute.devices: 1",
            )


def _check_shared(config: Config, paths: Sequence[Path]) -> None:
    """A method that shares the training of another one has the same settings, but for the refinement."""
    for name, method in config.methods.items():
        if not isinstance(method, Npr) or not (other := method.weights_of):
            continue
        what, where = f"methods.{name}.weights_of", _line_of(("methods", name, "weights_of"), paths)
        if other not in config.methods:
            raise ReposeError(f"{what}: {other!r} is not defined", where, _nearest(other, config.methods))
        given = config.methods[other]
        if not isinstance(given, Npr) or given.weights_of:
            raise ReposeError(f"{what}: {other!r} has no such training of its own", where)
        for setting in Npr.model_fields.keys() - {"refine_steps", "weights_of"}:
            if getattr(given, setting) != getattr(method, setting):
                raise ReposeError(
                    f"{what}: {other!r} has another {setting}", where, "give both methods the same"
                )


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
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
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
    return None if node is None else yaml.SafeLoader("").construct_object(node)


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
        hint = _nearest(str(key[-1]), _section(key[:-1], values).model_fields)
    elif first["type"] == "missing":
        what = f"key {name!r} is missing"
    elif first["type"] == "union_tag_invalid":
        tag, tags = first["ctx"]["tag"], first["ctx"]["expected_tags"].replace("'", "").split(", ")
        kind = first["ctx"]["discriminator"].strip("'")
        what, hint = f"{name}: unknown {kind} {tag!r}", _nearest(tag, tags)
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


def _nearest(name: str, known: Collection[str]) -> str:
    """A hint with the valid name nearest to `name`."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"valid: {', '.join(known)}"


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
    """The member of a tagged union that `values` belongs to; other annotations as they are."""
    members = [m for option in get_args(annotation) for m in (get_args(option) or (option,))]
    for model in members:
        if isinstance(model, type) and issubclass(model, BaseModel):
            for tag in ("source", "architecture"):
                options = get_args(model.model_fields[tag].annotation) if tag in model.model_fields else ()
                if isinstance(values, Mapping) and values.get(tag) in options:
                    return model
    return annotation
