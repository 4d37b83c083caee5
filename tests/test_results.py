"""Where artefacts lie: below one root, each in a place of its own, as documented and as rules have it."""

import inspect
from itertools import combinations
from pathlib import Path

import pytest

from repose.provenance.manifest import history_path, manifest_path
from repose.results import Results

NAMES = {
    "medium": "meshes",
    "dataset": "d",
    "method": "m",
    "seed": 3,
    "part": "unseen",
    "number": 1,
    "table": "t",
    "source": "external",
}
PLACES = {
    "recipe": "data/d/raw.npz",
    "inventory": "data/d/raw.json",
    "unpacked": "data/d/unpacked",
    "catalog": "data/d/catalog.parquet",
    "pairs": "data/d/pairs.parquet",
    "converted": "data/d/obj",
    "packed": "data/d/meshes.zarr",
    "gih": "gih/d.zarr",
    "gih_part": "gih/d/part1.json",
    "split": "splits/d/unseen.parquet",
    "neighbours": "neighbours/d/m.zarr",
    "run": "runs/d/m/seed3/model.safetensors",
    "predictions": "predictions/d/m/seed3.zarr",
    "scores": "scores/d/m/seed3.parquet",
    "render_scores": "render-scores/d/m/seed3.parquet",
    "benchmark_list": "benchmark/d/unseen.tsv",
    "benchmark_predictions": "benchmark/d/unseen/predicted/m/seed3.zarr",
    "handed_in": "benchmark/d/unseen/handed-in/m/seed3.zarr",
    "benchmark_scores": "benchmark/d/unseen/external/m/seed3.parquet",
    "ranking": "benchmark/d/unseen/ranking.csv",
    "table": "t.csv",
    "conventions": "conventions/t.csv",
    "motions": "motions/t.csv",
    "figure": "figures/t.png",
}
WITHOUT_MANIFEST = {"unpacked", "pairs"}  # they belong to the inventory and to the catalogue


def places(results: Results) -> dict[str, Path]:
    """What every method answers, given names."""
    found = {}
    for name, method in inspect.getmembers(results, inspect.ismethod):
        if name.startswith("_"):
            continue
        found[name] = method(**{key: NAMES[key] for key in inspect.signature(method).parameters})
    return found


def test_every_place_is_the_documented_one():
    found = places(Results(Path("r")))
    assert {name: path.relative_to("r").as_posix() for name, path in found.items()} == PLACES
    assert Results().root == Path("results")
    assert Results().converted("images", "d") == Path("results/data/d/img")
    assert Results().packed("images", "d") == Path("results/data/d/images.zarr")


@pytest.mark.parametrize("name", PLACES)
def test_a_pattern_filled_in_is_the_place_of_the_names(name):
    method = getattr(Results(), name)
    keys = list(inspect.signature(method).parameters)
    medium = {"medium": "meshes"} if "medium" in keys else {}
    names = {key: NAMES[key] for key in keys if key != "medium"}
    assert str(method(**medium)).format(**names) == str(method(**medium, **names))


def test_no_two_artefacts_share_a_file_and_none_lies_in_another():
    found = places(Results())
    named = {name: path for name, path in found.items() if name not in WITHOUT_MANIFEST}
    files = {
        name: {path, manifest_path(path), history_path(manifest_path(path))} for name, path in named.items()
    }
    for (one, mine), (other, theirs) in combinations(files.items(), 2):
        assert mine.isdisjoint(theirs) or {one, other} == {"recipe", "inventory"}, (one, other)
        for a in (found[one], found[other]):
            for b in (found[one], found[other]):
                assert a == b or a not in b.parents, (one, other)


def test_what_is_no_artefact_is_hidden():
    results = Results()
    for path in (results.checkpoints, results.configs):
        assert path.parent == results.root and path.name.startswith(".")
