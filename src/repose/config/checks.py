"""What the sections of a config must agree on with each other; each section checks itself."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from repose.config.models import Config
from repose.methods.flow.settings import FlowRegressionSettings, FlowTransferSettings, ImageFeaturesSettings
from repose.methods.npr.settings import NprSettings, Refined
from repose.methods.npr_diffusion.settings import NprDiffusionSettings
from repose.methods.scorers.settings import ImageScorerSettings, RenderScorerSettings
from repose.methods.settings import LearnedMethod

SAME = "give both methods the same"
# What a method may be given of another one: of which class that is, and settings that both must have alike.
PARTS: dict[str, tuple[type, tuple[str, ...]]] = {
    "poses_of": (NprSettings, ()),
    "features": (ImageFeaturesSettings, ()),
    "flow": (FlowRegressionSettings, ("flow_network", "joints", "radius")),
    "generator": (
        FlowTransferSettings,
        ("generator", "width", "widest", "levels", "warped_levels", "gate", "joints", "radius", "faithful"),
    ),
}


class Wrong(NamedTuple):
    """A value that does not go with the others: its key, what is wrong, and a hint."""

    key: tuple[str | int, ...]
    what: str
    hint: str | None = None


def wrong(config: Config) -> Iterator[Wrong]:
    """What is wrong, in the order of the checks; take the first, since a check relies on those before it."""
    return chain(
        _names(config),
        _truth(config),
        _kinds(config),
        _losses(config),
        _starts(config),
        _devices(config),
        _scorers(config),
        _shared(config),
    )


def nearest(name: str, known: Collection[str]) -> str:
    """A hint with the valid name nearest to `name`."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"valid: {', '.join(known)}"


def _names(config: Config) -> Iterator[Wrong]:
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
                    key = ("tables", table, kind, name if kind == "more_seeds" else position)
                    yield Wrong(key, f"tables.{table}.{kind}: {name!r} is not defined", nearest(name, known))


def _truth(config: Config) -> Iterator[Wrong]:
    """A table scores transfers between identities, so that its datasets must hold their truth."""
    for table, rows in config.tables.items():
        for position, name in enumerate(rows.datasets):
            if not config.datasets[name].has_truth:
                yield Wrong(
                    ("tables", table, "datasets", position),
                    f"tables.{table}.datasets: {name!r} holds no truth of a transfer",
                    "its meshes are for training without truth, or for transfers to and from other datasets",
                )


def _kinds(config: Config) -> Iterator[Wrong]:
    """A table compares methods of meshes on meshes, or of images on images."""
    for table, rows in config.tables.items():
        medium = config.medium_of(table)
        allowed = {"meshes", "poses"} if medium == "poses" else {medium}
        named: list[tuple[str, list[str], Mapping[str, Any]]] = [
            ("methods", rows.methods, config.methods),
            ("datasets", rows.datasets, config.datasets),
        ]
        for section, names, known in named:
            for position, name in enumerate(names):
                if known[name].medium not in allowed:
                    yield Wrong(
                        ("tables", table, section, position),
                        f"tables.{table}.{section}: {name!r} is of {known[name].medium}, "
                        f"{rows.methods[0]!r} of {config.methods[rows.methods[0]].medium}",
                        "give them tables of their own",
                    )


def _losses(config: Config) -> Iterator[Wrong]:
    """Methods of images that compare share one perceptual loss."""
    for table, rows in config.tables.items():
        methods = {name: config.methods[name] for name in rows.methods}
        losses = {k: m.training.perceptual for k, m in methods.items() if isinstance(m, FlowTransferSettings)}
        if len(set(losses.values())) > 1:
            yield Wrong(
                ("tables", table, "methods"),
                f"tables.{table}.methods: {' and '.join(losses)} differ in training.perceptual",
                "methods of one table share it, or they do not compare",
            )


def _scorers(config: Config) -> Iterator[Wrong]:
    """What judges the images of a dataset, or pictures of the meshes of a table, is a scorer of such."""
    wanted: list[tuple[str, str, str | None, type, str]] = [
        *(
            ("datasets", n, getattr(d, "scorer", None), ImageScorerSettings, "image-scorer")
            for n, d in config.datasets.items()
        ),
        *(
            ("tables", n, table.scorer, RenderScorerSettings, "render-scorer")
            for n, table in config.tables.items()
        ),
    ]
    for section, name, scorer, model, architecture in wanted:
        if scorer is None:
            continue
        key, what = (section, name, "scorer"), f"{section}.{name}.scorer"
        if scorer not in config.methods:
            yield Wrong(key, f"{what}: {scorer!r} is not defined", nearest(scorer, config.methods))
        elif not isinstance(config.methods[scorer], model):
            yield Wrong(key, f"{what}: {scorer!r} is not of architecture {architecture}")
        elif section == "tables" and config.medium_of(name) != "poses":
            yield Wrong(key, f"{what}: only a table with made-up poses has columns for it")
    judges = {name: table.scorer for name, table in config.tables.items() if table.scorer}
    if len(set(judges.values())) > 1:
        name = list(judges)[-1]
        yield Wrong(
            ("tables", name, "scorer"), f"tables: {' and '.join(judges)} have other scorers", "give them one"
        )


def _starts(config: Config) -> Iterator[Wrong]:
    """A method that is given a part of another one has the same settings of that part."""
    for name, method in config.methods.items():
        for part, other in method.starts_from.items():
            setting = "perceptual.method" if part == "features" else part
            key = ("methods", name, "training", *setting.split("."))
            what = f"methods.{name}.training.{setting}: {other!r}"
            if other not in config.methods:
                yield Wrong(key, f"{what} is not defined", nearest(other, config.methods))
                continue
            model, settings = PARTS[part]
            given = config.methods[other]
            borrowed = (
                given.starts_from.get(part) if part == "generator" else getattr(given, "weights_of", None)
            )
            if not isinstance(given, model) or borrowed:
                yield Wrong(key, f"{what} has no {part} of its own to give")
                continue
            differing = [s for s in settings if getattr(given, s) != getattr(method, s)]
            if isinstance(method, NprDiffusionSettings) and (differs := method.differs_from(given)):
                differing = [differs]
            if differing:
                yield Wrong(key, f"{what} has another {differing[0]}", SAME)


def _devices(config: Config) -> Iterator[Wrong]:
    """Devices share a batch evenly, or the average of their gradients is not that of the batch."""
    for name, method in config.methods.items():
        devices = config.compute.devices_of(method)
        if isinstance(method, LearnedMethod) and method.training.batch % devices:
            yield Wrong(
                ("methods", name, "training", "batch"),
                f"methods.{name}.training.batch: {method.training.batch} cannot be shared by {devices} devices",
                f"a multiple of {devices}, or compute.devices: 1",
            )


def _shared(config: Config) -> Iterator[Wrong]:
    """A method that shares the training of another one has the same settings, but for the refinement."""
    for name, method in config.methods.items():
        if not isinstance(method, Refined) or not (other := method.weights_of):
            continue
        key, what = ("methods", name, "weights_of"), f"methods.{name}.weights_of: {other!r}"
        given = config.methods.get(other)
        if given is None:
            yield Wrong(key, f"{what} is not defined", nearest(other, config.methods))
        elif type(given) is not type(method) or given.weights_of:
            yield Wrong(key, f"{what} has no such training of its own")
        else:
            for setting in type(method).model_fields.keys() - {"refine_steps", "weights_of"}:
                if getattr(given, setting) != getattr(method, setting):
                    yield Wrong(key, f"{what} has another {setting}", SAME)
