"""Neighbours in Zarr: what is stored comes back, and a training that has them looks for none."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from repose.errors import ReposeError
from repose.methods.npr import neighbour_store as stores
from repose.methods.npr.extractor import PoseExtractor
from repose.methods.npr.neighbour_store import NeighbourStore, write_neighbours
from repose.methods.npr.neighbours import Neighbours
from repose.methods.npr.settings import NprNetwork
from repose.neighbours.stage import encoded, run
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.provenance.owner import mark
from repose.split.triples import draw_triples
from tests.methods.npr_diffusion.test_recipe import method as diffusion_method
from tests.trainings import fit, same
from tests.worms import THERE, npr_method, worm_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return worm_store(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def split(store):
    """A file of triples; it and the store have manifests."""
    parts = (
        draw_triples(THERE, [0, 1], range(8), 20, "train", 0),
        draw_triples(THERE, [2, 3], range(8, 12), 4, "val", 0),
    )
    path = store.path.parent / "train.parquet"
    pd.concat(parts, ignore_index=True).to_parquet(path, index=False)
    for file in (store.path, path):
        Recorder(file.stem, "code", {}).seal(manifest_path(file), [file])
    return path


def names(store, rows):
    return {store.mesh_ids[row] for row in rows}


def test_with_keypoints_in_the_pose_these_are_the_poses_and_at_rest_the_bodies(store, split):
    splits = pd.read_parquet(split)
    val = set(splits.pose_mesh[splits.role == "val"])
    posed = encoded(npr_method({"source": 1}, anchors="posed"), store, splits)
    seen = names(store, posed)
    assert {f"id1_{p}" for p in range(8)} | val <= seen <= {f"id1_{p}" for p in range(12)} | val
    assert all(store.mesh_ids[rest] == store.mesh_ids[row][:4] + "0" for row, rest in posed.items())
    rest = encoded(npr_method(anchors="rest"), store, splits)
    assert names(store, rest) == {"id0_0", *(f"{name[:4]}0" for name in val)} and list(rest) == [
        *rest.values()
    ]


@pytest.mark.parametrize("anchors", ["posed", "rest"])
def test_a_training_that_has_them_looks_for_none_and_comes_to_the_same(
    store, split, tmp_path, monkeypatch, anchors
):
    which, out = npr_method(anchors=anchors), tmp_path / "npr.zarr"
    plain = fit(which, store, split, tmp_path / "plain")
    run(which, store.path, split, out)
    known = {"neighbours": out}

    def forbidden(self, points):
        raise AssertionError("neighbours are looked for")

    with monkeypatch.context() as patch:
        patch.setattr(PoseExtractor, "neighbours", forbidden)
        assert same(fit(which, store, split, tmp_path / "known", given=known).weights, plain.weights)
        with pytest.raises(AssertionError, match="looked for"):
            fit(which, store, split, tmp_path / "none")
        save_file({k: v.contiguous() for k, v in plain.weights.items()}, tmp_path / "npr.safetensors")
        poses = diffusion_method(npr={k: getattr(which, k) for k in NprNetwork.model_fields})
        fit(poses, store, split, tmp_path / "poses", given=known | {"poses_of": tmp_path / "npr.safetensors"})


def test_the_stage_is_traceable_and_does_nothing_twice(store, split, tmp_path, monkeypatch):
    settings, out = npr_method(anchors="posed"), tmp_path / "neighbours" / "npr.zarr"
    mark(tmp_path)
    run(settings, store.path, split, out)
    manifest = load(manifest_path(out))
    assert manifest.history["params"] == settings.neighbour_settings()
    assert set(manifest.history["inputs"]) == {"store", "split"}
    monkeypatch.setattr("repose.neighbours.stage.write_neighbours", None)
    run(npr_method({"learning_rate": 1.0}, anchors="posed"), store.path, split, out)
    with pytest.raises(TypeError):
        run(npr_method(anchors="posed", keypoints=12), store.path, split, out)


def test_what_does_not_fit_is_refused(store, split, tmp_path):
    with pytest.raises(ReposeError, match="npr-diffusion looks at no neighbours"):
        run(diffusion_method(), store.path, split, tmp_path / "x.zarr")
    with pytest.raises(ReposeError, match="no store of neighbours"):
        fit(npr_method(), store, split, tmp_path / "a", given={"neighbours": tmp_path / "x.zarr"})
    run(npr_method(), store.path, split, tmp_path / "npr.zarr")
    with pytest.raises(ReposeError, match="for 40 and 16 points, the network has 50 and 16"):
        fit(npr_method(middle=50), store, split, tmp_path / "b", given={"neighbours": tmp_path / "npr.zarr"})


def some_neighbours(rng, faces):
    among = {(faces, 10): faces, (8,): faces, (8, 16): faces, (8, 8): 8, (4, 8): 8, (4, 4): 4}
    drawn = (torch.from_numpy(rng.integers(0, many, (1, *shape))) for shape, many in among.items())
    return Neighbours(*drawn)


def change(path, array, **values):
    """Other values in the metadata of an array."""
    meta = json.loads((path / array / "zarr.json").read_text())
    meta |= values
    (path / array / "zarr.json").write_text(json.dumps(meta))


CHUNKS = {"name": "regular", "configuration": {"chunk_shape": [1, 20_000_000, 10]}}
ZSTD = [{"name": "bytes"}, {"name": "zstd", "configuration": {}}]
FORGED = {
    "huge": ("faces", {"shape": [2, 20_000_000, 10], "chunk_grid": CHUNKS}, "of a body have 16000"),
    "cut": ("faces", {"shape": [2, 90, 10]}, "a chunk does not hold whole rows"),
    "more": ("faces", {"shape": [9, 12, 10]}, "9 rows of faces for 2 bodies"),
    "packed": ("centres", {"codecs": ZSTD}, "stored compressed, expected plain bytes"),
    "texts": ("centres", {"data_type": "str"}, "numbers of type <U0"),
    "keys": ("keys", {"shape": [10**12, 16]}, "not an array as repose stores it"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_store_that_says_it_is_larger_than_it_is_is_refused(tmp_path, name):
    rng, (array, values, says) = np.random.default_rng(0), FORGED[name]
    near = [(bytes([k]) * 16, some_neighbours(rng, 12)) for k in range(2)]
    write_neighbours(tmp_path / "n", near, 2, 8, 4)
    change(tmp_path / "n", array, **values)
    with pytest.raises(ReposeError, match=says):
        NeighbourStore(tmp_path / "n", 8, 4)


def test_neighbours_that_are_not_there_and_files_cut_short_are_refused(tmp_path):
    write_neighbours(tmp_path / "n", [(bytes(16), some_neighbours(np.random.default_rng(0), 12))], 1, 8, 4)
    file = tmp_path / "n" / "centres" / "c" / "0" / "0"
    sound = file.read_bytes()
    file.write_bytes(b"\x0c\0" + sound[2:])
    with pytest.raises(ReposeError, match="n: neighbours that are not there"):
        NeighbourStore(tmp_path / "n", 8, 4).find(bytes(16))
    file.write_bytes(sound[:-1])
    with pytest.raises(ReposeError, match="c/0/0: missing or cut short"):
        NeighbourStore(tmp_path / "n", 8, 4).find(bytes(16))


@settings(max_examples=30)
@given(
    count=st.integers(1, 5),
    faces=st.sampled_from([12, 70_000]),
    file=st.sampled_from([1, 1 << 12, 1 << 24]),
    seed=st.integers(0, 9),
)
def test_what_is_written_is_read(tmp_path_factory, count, faces, file, seed):
    rng, path = np.random.default_rng(seed), tmp_path_factory.mktemp("s") / "n.zarr"
    near = [some_neighbours(rng, faces) for _ in range(count)]
    keys = [rng.bytes(16) for _ in range(count)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "FILE_BYTES", file)
        write_neighbours(path, zip(keys, near, strict=True), count, 8, 4)
    found = NeighbourStore(path, 8, 4)
    for key, expected in zip(keys, near, strict=True):
        again = found.find(key)
        assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(again, expected, strict=True))
    assert found.find(b"\0" * 16) is None
