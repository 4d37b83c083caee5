"""Stage `site`: tables and all that is behind them → results/site/."""

from collections.abc import Mapping
from pathlib import Path

from repose.convert.catalog import mesh_numbers
from repose.provenance.making import making
from repose.reading import read_rows
from repose.report.shown import spread
from repose.site.bodies import Pairs, Writer
from repose.site.facts import Facts
from repose.site.pages import Site
from repose.specs import Spec
from repose.store.mesh_store import MeshStore

SAMPLES = 6  # bodies on the page of a dataset


def run(spec: Spec, inputs: Mapping[str, Path], out: Path) -> None:
    """Write the pages.

    Args:
        spec: what decides them: the medium of each table, and how many pairs all methods show.
        inputs: `table:{table}`, `run:{dataset}/{method}/seed{n}`, `store:{dataset}`, `catalog:{dataset}`, and of
            methods of meshes `predictions:{dataset}/{method}` and `scores:{dataset}/{method}`.
        out: the folder.

    Raises:
        ReposeError: an input is missing or damaged.
    """
    later = {name for name in inputs if name.partition(":")[0] in ("run", "store", "predictions")}
    with making(spec, out, inputs, keep=0, later=later) as new:
        histories = {name: path.with_name("history.parquet") for name, path in _of(inputs, "run").items()}
        for name, history in histories.items():
            new.reads(f"run:{name}", history)
        facts = Facts(_of(inputs, "table"), spec.params["tables"], histories)
        with new.file(out) as private:
            site = Site(private, facts)
            for dataset, catalog in _of(inputs, "catalog").items():
                store = inputs[f"store:{dataset}"]
                _dataset(site, dataset, catalog, store, inputs, spec.params["pairs"])
            site.write()
        new.describe = {"pages": len(site.pages), "tables": len(facts.tables)}


def _dataset(
    site: Site, dataset: str, catalog: Path, store: Path, inputs: Mapping[str, Path], common: int | None
) -> None:
    """Everything of one dataset: its bodies, and those of every method."""
    rows = read_rows(catalog, "not a catalogue")
    pairs: dict[str, dict[str, Pairs]] = {}
    samples: list[tuple[str, str]] = []
    faces = ""
    if "mesh_id" in rows:
        writer = Writer(site.root, dataset, MeshStore(store))
        faces = writer.faces
        samples = [(name, writer.mesh(name)) for name in _samples(list(rows.mesh_id))]
        for where, predictions in _of(inputs, "predictions").items():
            other, method = where.split("/")
            if other == dataset:
                pairs[method] = writer.pairs(method, predictions, inputs[f"scores:{where}"], common)
        writer.index(pairs)
    site.dataset(dataset, rows, faces, samples, pairs)


def _samples(names: list[str]) -> list[str]:
    """Some bodies, each of another identity and in another pose as far as there are such."""
    by_identity: dict[int, list[str]] = {}
    for name in names:
        by_identity.setdefault(mesh_numbers(name)[0], []).append(name)
    groups = list(by_identity.values())
    chosen = spread(len(groups), SAMPLES)
    return [groups[k][len(groups[k]) * position // len(chosen)] for position, k in enumerate(chosen)]


def _of(inputs: Mapping[str, Path], part: str) -> dict[str, Path]:
    """The inputs of one kind, by what follows the colon."""
    return {name.partition(":")[2]: path for name, path in inputs.items() if name.startswith(f"{part}:")}
