"""Checks of the sections of a config against each other; each section checks itself."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, product
from operator import attrgetter
from typing import NamedTuple

from repose.config.models import Config, Table
from repose.methods.settings import LearnedMethod, MethodSettings, same
from repose.raw.settings import HALVES, Paired
from repose.results import STUDIED

SAME = "give both methods the same"


class Wrong(NamedTuple):
    """A value that contradicts others: its key, what is wrong, and a hint."""

    key: tuple[str | int, ...]
    what: str
    hint: str | None = None


def wrong(config: Config) -> Iterator[Wrong]:
    """Yield what is wrong, in the order of the checks; use only the first, as a check relies on those before it."""
    return chain(
        _names(config),
        _beside(config),
        _truth(config),
        _halves(config),
        _kinds(config),
        _across(config),
        _comparable(config),
        _parts(config),
        _devices(config),
        _scorers(config),
        _shared(config),
    )


def did_you_mean(name: str, known: Collection[str]) -> str | None:
    """Return a hint with the valid name nearest to `name`; None if no name is near."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else None


def nearest(name: str, known: Collection[str]) -> str:
    """Return a hint with the valid name nearest to `name`, or else all of them."""
    return did_you_mean(name, known) or f"valid: {', '.join(known)}"


def _names(config: Config) -> Iterator[Wrong]:
    """Every name that a table uses must be defined."""
    for table, rows in config.tables.items():
        if table == "site":
            yield Wrong(
                ("tables", table), "tables.site: the pages of all tables are called so", "name it otherwise"
            )
        known: dict[str, Collection[str]] = {"datasets": config.datasets, "methods": config.methods}
        for section, names in {**known, "more_seeds": rows.methods}.items():
            for key, what, name in _listed(table, rows, section):
                if name not in names:
                    yield Wrong(key, f"{what} is not defined", nearest(name, names))


def _listed(table: str, rows: Table, section: str) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield for each name that a table lists its key, its name in messages, and the name itself."""
    names = getattr(rows, section)
    for position, name in enumerate(names):
        key = ("tables", table, section, name if isinstance(names, Mapping) else position)
        yield key, f"tables.{table}.{section}: {name!r}", name


def _beside(config: Config) -> Iterator[Wrong]:
    """Files beside the conventions of one table must not have the names of another table's."""
    studied = [table for table in config.tables if config.medium_of(table) == "meshes"]
    for table, part in product(studied, STUDIED):
        if (name := f"{table}-{part}") in studied:
            yield Wrong(
                ("tables", name),
                f"tables.{name}: its conventions and those of {table!r} are both called {name}.csv",
                "name it otherwise",
            )


def _truth(config: Config) -> Iterator[Wrong]:
    """A table scores transfers between identities, so its datasets must have the truth."""
    for table, rows in config.tables.items():
        for key, what, name in _listed(table, rows, "datasets"):
            if not config.datasets[name].has_truth:
                yield Wrong(
                    key,
                    f"{what} holds no truth of a transfer",
                    "its meshes are for training without truth, or for transfers to and from other datasets",
                )


def _halves(config: Config) -> Iterator[Wrong]:
    """Protocols of bent or straight poses need datasets that distinguish them."""
    of_datasets = ((("datasets", name), [name], d.protocols) for name, d in config.datasets.items())
    of_tables = ((("tables", name), t.datasets, t.protocols or []) for name, t in config.tables.items())
    for section, names, protocols in chain(of_datasets, of_tables):
        for name, protocol in product(names, protocols):
            if protocol in HALVES and protocol not in config.datasets[name].halves:
                yield Wrong(
                    (*section, "protocols"),
                    f"{'.'.join(section)}.protocols: {name!r} tells no {protocol} poses apart",
                    "`unseen` has all of them",
                )


def _kinds(config: Config) -> Iterator[Wrong]:
    """A table compares methods of meshes on meshes, or of images on images, but no methods that only serve others."""
    for table, rows in config.tables.items():
        for key, what, name in _listed(table, rows, "methods"):
            if not config.methods[name].compared:
                yield Wrong(key, f"{what} only serves other methods, and has no results to compare")
        medium = config.medium_of(table)
        allowed = {"meshes", "poses"} if medium == "poses" else {medium}
        first = f"{rows.methods[0]!r} of {config.methods[rows.methods[0]].medium}"
        for section in ("methods", "datasets"):
            for key, what, name in _listed(table, rows, section):
                if (found := getattr(config, section)[name].medium) not in allowed:
                    yield Wrong(key, f"{what} is of {found}, {first}", "give them tables of their own")


def _across(config: Config) -> Iterator[Wrong]:
    """A table across datasets must be of meshes; its weights must come from a dataset that triples are drawn from."""
    for table, rows in config.tables.items():
        key, what = ("tables", table, "trained_on"), f"tables.{table}.trained_on: {rows.trained_on!r}"
        if rows.trained_on is None:
            continue
        if rows.trained_on not in config.datasets:
            yield Wrong(key, f"{what} is not defined", nearest(rows.trained_on, config.datasets))
        elif config.medium_of(table) != "meshes":
            yield Wrong(
                key, f"{what}: {table} is of {config.medium_of(table)}", "only tables of meshes go across"
            )
        elif not isinstance(config.datasets[rows.trained_on], Paired):
            yield Wrong(key, f"{what} has no triples of meshes to learn from")


def _comparable(config: Config) -> Iterator[Wrong]:
    """Methods in one table must agree on settings without which their numbers cannot be compared."""
    for table, rows in config.tables.items():
        methods = {name: config.methods[name] for name in rows.methods}
        for key in dict.fromkeys(key for method in methods.values() for key in method.alike_in_tables):
            found = {n: attrgetter(key)(m) for n, m in methods.items() if key in m.alike_in_tables}
            if len(set(found.values())) > 1:
                yield Wrong(
                    ("tables", table, "methods"),
                    f"tables.{table}.methods: {' and '.join(found)} differ in {key}",
                    "methods of one table share it, or they do not compare",
                )


def _scorers(config: Config) -> Iterator[Wrong]:
    """The scorer of a dataset's images, or of renders of a table's meshes, must be a scorer of that kind."""
    wanted: list[tuple[str, str, str | None, str]] = [
        *(("datasets", n, getattr(d, "scorer", None), "images") for n, d in config.datasets.items()),
        *(("tables", n, table.scorer, "renders") for n, table in config.tables.items()),
    ]
    for section, name, scorer, scored in wanted:
        if scorer is None:
            continue
        key, what = (section, name, "scorer"), f"{section}.{name}.scorer"
        if scorer not in config.methods:
            yield Wrong(key, f"{what}: {scorer!r} is not defined", nearest(scorer, config.methods))
        elif config.methods[scorer].scores != scored:
            fit = [n for n, method in config.methods.items() if method.scores == scored]
            yield Wrong(
                key, f"{what}: {scorer!r} scores no {scored}", f"methods that do: {', '.join(fit) or 'none'}"
            )
        elif section == "tables" and config.medium_of(name) != "poses":
            yield Wrong(key, f"{what}: only a table with generated poses has columns for it")
    scorers = {name: table.scorer for name, table in config.tables.items() if table.scorer}
    if len(set(scorers.values())) > 1:
        name = list(scorers)[-1]
        yield Wrong(
            ("tables", name, "scorer"), f"tables: {' and '.join(scorers)} have other scorers", "give them one"
        )


def _parts(config: Config) -> Iterator[Wrong]:
    """A method that is given a part of another one must have the same settings for that part."""
    for name, method in config.methods.items():
        for part in method.parts:
            if (other := method.starts_from.get(part.name)) is None:
                continue
            key, what = ("methods", name, *part.key.split(".")), f"methods.{name}.{part.key}: {other!r}"
            if other not in config.methods:
                yield Wrong(key, f"{what} is not defined", nearest(other, config.methods))
                continue
            giver = config.methods[other]
            borrowed = part.name in giver.starts_from or giver.shares_weights_with
            if giver.architecture != part.architecture or borrowed:
                yield Wrong(key, f"{what} has no {part.name} of its own to give")
            elif differing := _differing(method, giver, part.alike):
                yield Wrong(key, f"{what} has another {differing}", SAME)


def _differing(method: MethodSettings, other: MethodSettings, alike: Mapping[str, str]) -> str | None:
    """Return the other method's key of the first setting that should be equal in both, and is not."""
    pairs = ((theirs, attrgetter(own)(method), attrgetter(theirs)(other)) for own, theirs in alike.items())
    return next((key for key, one, two in pairs if one != two), None)


def _devices(config: Config) -> Iterator[Wrong]:
    """Devices must share a batch evenly, or the average of their gradients is not that of the batch."""
    for name, method in config.methods.items():
        devices = config.compute.devices_of(method)
        if isinstance(method, LearnedMethod) and method.training.batch % devices:
            yield Wrong(
                ("methods", name, "training", "batch"),
                f"methods.{name}.training.batch: {method.training.batch} cannot be shared by {devices} devices",
                f"a multiple of {devices}, or compute.devices: 1",
            )


def _shared(config: Config) -> Iterator[Wrong]:
    """A method with the weights of another one must have the same settings, except those that no weight depends on."""
    for name, method in config.methods.items():
        shared, other = method.shared, method.shares_weights_with
        if shared is None or other is None:
            continue
        key, what = ("methods", name, shared.key), f"methods.{name}.{shared.key}: {other!r}"
        giver = config.methods.get(other)
        # A method may be of a kind that only uses the weights in another way.
        fields = [field for field in type(giver or method).model_fields if field not in shared.but_for]
        if giver is None:
            yield Wrong(key, f"{what} is not defined", nearest(other, config.methods))
        elif not isinstance(method, type(giver)) or giver.shares_weights_with:
            yield Wrong(key, f"{what} has no such training of its own")
        elif differing := _differing(method, giver, same(*fields)):
            yield Wrong(key, f"{what} has another {differing}", SAME)
