"""Stage `conventions`: from stored predictions of a table to results/conventions/{table}.csv and derived results."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from repose.columns import TRIPLE
from repose.conventions import charts, study
from repose.conventions.measures import Compared
from repose.conventions.sensitivity import SAMPLES, sensitivity
from repose.conventions.text import Study, markdown
from repose.convert.catalog import mesh_numbers
from repose.errors import ReposeError
from repose.metrics.conventions import METRICS
from repose.metrics.metric import measured
from repose.predict.read_meshes import transfers
from repose.progress import track
from repose.provenance.making import making
from repose.provenance.manifest import Manifest
from repose.reading import read_rows
from repose.report.shown import spread
from repose.results import STUDIED
from repose.score.artefact import inputs_of
from repose.specs import Spec
from repose.store.mesh_store import MeshStore

BATCH = 50  # triples measured at a time


def run(spec: Spec, inputs: Mapping[str, Path], out: Path) -> None:
    """Score the predictions of a table under every convention.

    Args:
        spec: what decides the result: the runs of the table, and the protocols of each dataset.
        inputs: `predictions:{dataset}/{method}/seed{n}`, `store:{dataset}`, and the test lists `{protocol}:{dataset}`.
        out: the CSV of ranks. Beside it, with its name before a hyphen, are the CSVs of τ, swapped pairs, claims,
            comparisons of lists, and known errors under each convention; a page in Markdown, and two charts.

    Raises:
        ReposeError: predictions were made from another store or list, or there are too few predictions to rank two
            methods.
    """
    later = {name for name in inputs if name.partition(":")[0] in ("predictions", "store")}
    with making(spec, out, inputs, keep=0, later=later) as new:
        for name in spec.params["runs"]:
            dataset = name.split("/")[0]
            parts = {part: f"{part}:{dataset}" for part in spec.params["protocols"][dataset]}
            new.made_from(f"predictions:{name}", {"store": f"store:{dataset}", **parts})
        done = _study(spec.params, inputs)
        for path, text in _texts(out, spec.params["table"], done).items():
            new.text(path, text)
        pictures = {"": charts.bump_chart(done.ranking), "-sensitivity": charts.panel(done.seen)}
        for end, picture in pictures.items():
            with new.file(_beside(out, f"{end}.png")) as private:
                private.write_bytes(picture)
        lists = len(done.ranking[["dataset", "protocol"]].drop_duplicates())
        new.describe = {"lists": lists, "claims": int(done.claims.holds.sum()), "pairs": len(done.claims)}


def _study(params: Mapping[str, Any], inputs: Mapping[str, Path]) -> Study:
    found, seen = [], []
    # The keys of a mapping in a history are sorted, unlike the datasets of the table.
    for dataset in dict.fromkeys(name.split("/")[0] for name in params["runs"]):
        protocols = params["protocols"][dataset]
        store = MeshStore(inputs[f"store:{dataset}"])
        lists = {protocol: read_rows(inputs[f"{protocol}:{dataset}"]) for protocol in protocols}
        found += [
            _list(dataset, protocol, triples, store, params["runs"], inputs)
            for protocol, triples in lists.items()
        ]
        seen.append(_seen(store, lists[protocols[0]]).assign(dataset=dataset))
    known = pd.concat(seen, ignore_index=True)
    lists = study.between_lists(found)
    return Study(
        study.ranking(found), study.taus(found), study.swaps(found), study.claims(found), lists, known
    )


def differs_from_predictions(made: Manifest) -> list[str]:
    """Score the predictions again, and report whether a table or the page differs; nothing is hashed."""
    params = made.history["params"]
    out = made.path.with_name(f"{params['table']}.csv")
    faults = []
    for path, text in _texts(out, params["table"], _study(params, inputs_of(made))).items():
        if path.read_text(encoding="utf-8") != text:
            faults.append(f"{path.name} does not say what the predictions give")
    return faults


def _texts(out: Path, table: str, done: Study) -> dict[Path, str]:
    ends = ("", *(f"-{part}" for part in STUDIED))
    tables = {
        _beside(out, f"{end}.csv"): rows.to_csv(index=False) for end, rows in zip(ends, done, strict=True)
    }
    return tables | {_beside(out, ".md"): markdown(table, done)}


def _beside(out: Path, end: str) -> Path:
    return out.with_name(f"{out.stem}{end}")


def _list(
    dataset: str,
    protocol: str,
    triples: pd.DataFrame,
    store: MeshStore,
    runs: list[str],
    inputs: Mapping[str, Path],
) -> study.List:
    """Return the measures of all runs of a dataset on one list."""
    found: dict[str, list[dict[str, np.ndarray]]] = {}
    own = [name for name in runs if name.startswith(f"{dataset}/")]
    for name in track(own, len(own), f"{dataset} {protocol}"):
        predicted = transfers(inputs[f"predictions:{name}"], protocol, triples)
        found.setdefault(name.split("/")[1], []).append(_measured(predicted, triples, store))
    if len(found) < 2:
        raise ReposeError("one method alone has no rank", dataset, "a table of two methods at least")
    of_seeds = {
        method: {metric.name: np.stack([seed[metric.name] for seed in seeds]) for metric in METRICS}
        for method, seeds in found.items()
    }
    numbers = triples.truth_mesh.map(mesh_numbers)
    known = pd.DataFrame(
        {"truth_mesh": triples.truth_mesh, "identity": numbers.str[0], "pose": numbers.str[1]}
    )
    return study.List(dataset, protocol, known, of_seeds)


def _measured(predicted: torch.Tensor, triples: pd.DataFrame, store: MeshStore) -> dict[str, np.ndarray]:
    """Return every measure of every triple, (triples,) each."""
    parts = []
    for start in range(0, len(triples), BATCH):
        rows = triples.iloc[start : start + BATCH]
        identity, truth = _meshes(store, rows, ["identity_mesh", "truth_mesh"])
        given = Compared(predicted[start : start + BATCH], truth, identity, store.faces)
        parts.append({name: values.numpy() for name, values in measured(METRICS, given).items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _seen(store: MeshStore, triples: pd.DataFrame) -> pd.DataFrame:
    """Return known errors of some triples, evenly spread over a list, under all conventions."""
    identity, pose, truth = (
        mesh.double().numpy() for mesh in _meshes(store, triples.iloc[spread(len(triples), SAMPLES)], TRIPLE)
    )
    return sensitivity(truth, identity, pose, store.faces)


def _meshes(store: MeshStore, triples: pd.DataFrame, columns: list[str]) -> Iterator[torch.Tensor]:
    """Yield for each column the meshes that it names, (N, V, 3) metres, as stored."""
    for column in columns:
        yield torch.from_numpy(store.vertices(triples[column].map(store.index_of).to_numpy()))
