"""Stage `site`: from tables and everything behind them to results/site/."""

from collections.abc import Mapping
from pathlib import Path

from repose.convert.catalog import mesh_numbers
from repose.provenance.making import making
from repose.reading import read_rows
from repose.report.shown import spread
from repose.site.bodies import Writer
from repose.site.dataset import Dataset
from repose.site.facts import Facts
from repose.site.pages import Site
from repose.site.pictures import Gallery
from repose.specs import Spec
from repose.store.image_store import ImageStore
from repose.store.mesh_store import MeshStore

SAMPLES = 6  # number of bodies, or half the number of images, on the page of a dataset


def run(spec: Spec, inputs: Mapping[str, Path], out: Path) -> None:
    """Write the pages.

    Args:
        spec: what decides the pages: the medium of each table, and how many pairs all methods show.
        inputs: `table:{table}`, `run:{dataset}/{method}/seed{n}`, `store:{dataset}`, `catalog:{dataset}`, of methods
            `predictions:{dataset}/{method}`, and of those that are tested pair by pair `scores:{dataset}/{method}`.
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
            datasets = {}
            for name, catalog in _of(inputs, "catalog").items():
                rows = read_rows(catalog, "not a catalogue")
                write = _meshes if "mesh_id" in rows else _images
                datasets[name] = write(private, Dataset(name, rows), inputs, spec.params["pairs"])
            site = Site(private, facts, datasets)
            site.write()
        new.describe = {"pages": len(site.pages), "tables": len(facts.tables)}


def _meshes(root: Path, dataset: Dataset, inputs: Mapping[str, Path], common: int | None) -> Dataset:
    """Write the bodies of a dataset, and the predictions of every method."""
    writer = Writer(root, dataset.name, MeshStore(inputs[f"store:{dataset.name}"]))
    dataset.faces = writer.faces
    dataset.samples, dataset.distances = writer.samples(_bodies(list(dataset.catalog.mesh_id)))
    for method, predictions in _predictions(inputs, dataset.name).items():
        scores = inputs.get(f"scores:{dataset.name}/{method}")
        if scores:
            dataset.pairs[method] = writer.pairs(method, predictions, scores, common)
        else:
            dataset.generated[method] = writer.generated(method, predictions, common)
    return dataset


def _images(root: Path, dataset: Dataset, inputs: Mapping[str, Path], common: int | None) -> Dataset:
    """Write the images of a dataset, and those of every method."""
    gallery = Gallery(root, dataset.name, ImageStore(inputs[f"store:{dataset.name}"]))
    names = list(dataset.catalog.image_id)
    dataset.samples = gallery.samples([names[k] for k in spread(len(names), 2 * SAMPLES)])
    for method, predictions in _predictions(inputs, dataset.name).items():
        scores = inputs[f"scores:{dataset.name}/{method}"]
        dataset.pairs[method] = gallery.pairs(method, predictions, scores, common)
    return dataset


def _predictions(inputs: Mapping[str, Path], dataset: str) -> dict[str, Path]:
    """Return the predictions of each method on a dataset."""
    places = ((where.split("/"), path) for where, path in _of(inputs, "predictions").items())
    return {method: path for (other, method), path in places if other == dataset}


def _bodies(names: list[str]) -> list[str]:
    """Return some bodies, with different identities and poses as far as possible."""
    by_identity: dict[int, list[str]] = {}
    for name in names:
        by_identity.setdefault(mesh_numbers(name)[0], []).append(name)
    groups = list(by_identity.values())
    chosen = spread(len(groups), SAMPLES)
    return [groups[k][len(groups[k]) * position // len(chosen)] for position, k in enumerate(chosen)]


def _of(inputs: Mapping[str, Path], part: str) -> dict[str, Path]:
    """Return the inputs of one kind, by the text after the colon."""
    return {name.partition(":")[2]: path for name, path in inputs.items() if name.startswith(f"{part}:")}
