"""Packed meshes: exact, mappable, and refusing whatever is not what the catalogue says."""

import numpy as np
import pandas as pd
import pytest
import trimesh
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import repose.store.pack as pack_module
from repose.convert.bodies import write_bodies
from repose.convert.catalog import read_catalog
from repose.errors import ReposeError
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack

SPHERE = trimesh.creation.icosphere(subdivisions=1)
FACES = SPHERE.faces.astype(np.int32)


def bodies(count, rng):
    for k in range(count):
        yield k // 3, k % 3, (SPHERE.vertices * rng.uniform(0.3, 2, 3)).astype(np.float32)


@pytest.fixture
def dataset(tmp_path):
    made = list(bodies(7, np.random.default_rng(0)))
    rows = write_bodies(made, FACES, tmp_path / "obj", "test", "own")
    return rows, tmp_path / "obj", made


@pytest.mark.parametrize("chunk_bytes", [1, 3 * 12 * len(SPHERE.vertices), 1 << 20])
def test_what_is_read_is_what_was_written_bit_by_bit(dataset, tmp_path, monkeypatch, chunk_bytes):
    rows, folder, made = dataset
    monkeypatch.setattr(pack_module, "CHUNK_BYTES", chunk_bytes)
    pack(rows, folder, tmp_path / "m.zarr")
    store = MeshStore(tmp_path / "m.zarr")
    truth = np.stack([v for _, _, v in made])
    assert len(store) == 7 and store.shape == truth.shape
    assert np.array_equal(store.vertices(np.arange(7)), truth)
    assert np.array_equal(store.vertices(np.array([5, 0, 5])), truth[[5, 0, 5]])
    assert np.array_equal(store.faces, FACES)
    assert store.mesh_ids == list(rows.mesh_id) and store.index_of("id1_2") == 5
    # Any Zarr reader reads the same.
    assert np.array_equal(zarr.open_array(tmp_path / "m.zarr" / "vertices", mode="r")[:], truth)


def test_the_same_meshes_give_the_same_bytes(dataset, tmp_path):
    rows, folder, _ = dataset
    for name in ("a", "b"):
        pack(rows, folder, tmp_path / name)
    files = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "id1_0.obj").unlink(), "names a file that is not there"),
        (
            lambda f: (f / "id1_0.obj").write_text((f / "id0_0.obj").read_text()),
            "not the mesh the catalogue describes",
        ),
        (lambda f: (f / "id1_0.obj").write_text((f / "id1_0.obj").read_text()[:300]), "id1_0.obj"),
        (lambda f: (f / "id1_0.obj").write_text("v nan 0 0\nv 0 0 0\nv 1 1 1\nf 1 2 3\n"), "id1_0.obj:1"),
        (lambda f: (f / "id1_0.obj").write_text("v 0 0 0\nv 0 1 0\nv 1 1 1\nf 1 2 9\n"), "id1_0.obj"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_published(dataset, tmp_path, damage, message):
    rows, folder, _ = dataset
    damage(folder)
    with pytest.raises(ReposeError, match=message):
        pack(rows, folder, tmp_path / "m.zarr")


def test_mixed_topology_is_refused(dataset, tmp_path):
    rows, folder, _ = dataset
    box = trimesh.creation.box()
    other = write_bodies([(9, 9, box.vertices)], box.faces, tmp_path / "other", "test", "own")
    (tmp_path / "other" / "id9_9.obj").rename(folder / "id9_9.obj")
    with pytest.raises(ReposeError, match="id9_9 has other faces than id0_0"):
        pack(pd.concat([rows, other]), folder, tmp_path / "m.zarr")


def test_a_compressed_or_missing_store_is_refused(tmp_path):
    with pytest.raises(ReposeError, match="no mesh store"):
        MeshStore(tmp_path)
    group = zarr.create_group(tmp_path / "c.zarr", attributes={"mesh_ids": ["id0_0"]})
    group.create_array("vertices", data=np.zeros((1, 4, 3), np.float32))
    group.create_array("faces", data=np.zeros((1, 3), np.int32))
    with pytest.raises(ReposeError, match="expected plain bytes"):
        MeshStore(tmp_path / "c.zarr")


def test_an_unknown_mesh_is_named(dataset, tmp_path):
    rows, folder, _ = dataset
    pack(rows, folder, tmp_path / "m.zarr")
    with pytest.raises(ReposeError, match="no mesh 'id8_8'"):
        MeshStore(tmp_path / "m.zarr").index_of("id8_8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.drop(columns="sha256"), "no column 'sha256'"),
        (lambda r: r.assign(mesh_id="../../etc/passwd"), "not of the form"),
        (lambda r: r.assign(mesh_id="id0_0"), "given twice"),
    ],
)
def test_a_malformed_catalogue_is_refused(dataset, tmp_path, change, message):
    rows, _, _ = dataset
    change(rows).to_parquet(tmp_path / "catalog.parquet")
    with pytest.raises(ReposeError, match=message):
        read_catalog(tmp_path / "catalog.parquet")


@given(st.lists(st.integers(0, 6), min_size=1, max_size=20))
@settings(deadline=None, max_examples=30)
def test_any_selection_is_the_selection_of_the_array(tmp_path_factory, chosen):
    folder = tmp_path_factory.getbasetemp() / "shared-store"
    if not folder.exists():
        folder.mkdir()
        rows = write_bodies(bodies(7, np.random.default_rng(1)), FACES, folder / "obj", "test", "own")
        pack(rows, folder / "obj", folder / "m.zarr")
    store = MeshStore(folder / "m.zarr")
    whole = zarr.open_array(folder / "m.zarr" / "vertices", mode="r")[:]
    assert np.array_equal(store.vertices(np.array(chosen)), whole[chosen])
