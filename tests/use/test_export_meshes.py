"""Packed meshes under the names and numbers of published loaders."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
import zarr

from repose.convert.catalog import mesh_id
from repose.errors import ReposeError
from repose.mesh.formats.io import read_mesh
from repose.mesh.formats.obj import read_obj
from repose.raw import collect
from repose.raw.dfaust import Dfaust
from repose.raw.smal import Smal
from repose.raw.smpl_npt import SmplNpt
from repose.results import Results
from repose.store.mesh_store import MeshStore
from repose.synthetic.open_animal.settings import OpenAnimal
from repose.synthetic.open_human.settings import OpenHuman
from repose.use.export_meshes import export_meshes

SIZES = {"identities": {"train": 2, "val": 1, "test": 2}, "poses": {"train": 3, "val": 1, "test": 2}}
OPEN = {"source": "open-human", "vertices": 300, **SIZES}
TRIPLES = pd.DataFrame(
    {
        "identity_mesh": ["id3_4", "id4_5"],
        "pose_mesh": ["id4_5", "id3_5"],
        "truth_mesh": ["id3_5", "id4_5"],
        "role": "test",
    }
)


def packed(path, identities=5, poses=6, vertices=4, faces=4):
    """Identities in poses, at random."""
    rng = np.random.default_rng(0)
    group = zarr.create_group(
        path, attributes={"mesh_ids": [mesh_id(i, p) for i in range(identities) for p in range(poses)]}
    )
    values = rng.standard_normal((identities * poses, vertices, 3)).astype(np.float32)
    group.create_array("vertices", data=values, chunks=(7, vertices, 3), compressors=None)
    group.create_array(
        "faces", data=rng.permuted(np.tile(np.arange(4, dtype=np.int32), (faces, 1)), axis=1)[:, :3]
    )
    return MeshStore(path)


@pytest.fixture
def results(tmp_path):
    places = Results(tmp_path / "results")
    packed(places.packed("meshes", "bodies"))
    places.split("bodies", "unseen").parent.mkdir(parents=True)
    TRIPLES.to_parquet(places.split("bodies", "unseen"))
    return places


def export(results, layout, out, dataset=None):
    dataset = dataset or OpenHuman(**OPEN)
    return export_meshes(
        dataset, results.packed("meshes", "bodies"), results.split("bodies", "unseen"), layout, out
    )


@pytest.mark.parametrize(
    ("layout", "folder", "prefix"),
    [("npt", "smpl_data", ""), ("3d-corenet", "npt-data", "id"), ("mapconnet", "npt-data", "id")],
)
def test_names_and_content_are_those_that_the_loader_finds(results, tmp_path, layout, folder, prefix):
    said = export(results, layout, tmp_path / "out")
    written = sorted(p.name for p in (tmp_path / "out" / folder).iterdir())
    # Ours 0, 1 | 3, 4 of identities (2 is for validation) and 0, 1, 2 | 4, 5 of poses.
    numbers = {0: 0, 1: 1, 3: 16, 4: 17}, {0: 200, 1: 201, 2: 202, 4: 600, 5: 601}
    assert written == sorted(f"{prefix}{i}_{p}.obj" for i in numbers[0].values() for p in numbers[1].values())
    store = MeshStore(results.packed("meshes", "bodies"))
    for i, p in [(0, 0), (1, 2), (4, 5)]:
        mesh = read_obj(tmp_path / "out" / folder / f"{prefix}{numbers[0][i]}_{numbers[1][p]}.obj")
        assert np.array_equal(
            mesh.vertices.astype(np.float32), store.vertices(np.array([store.index_of(mesh_id(i, p))]))[0]
        )
        assert np.array_equal(mesh.faces, store.faces)
    assert said == [
        "identities: 0-1 for training, 16-17 for the test; the loader draws 0-15, so lower its bound",
        "poses: 200-202 for training, 600-601 for the test; the loader draws 200-599, so lower its bound",
    ]


def test_the_test_list_has_the_published_names(results, tmp_path):
    export(results, "3d-corenet", tmp_path / "out")
    rows = (tmp_path / "out" / "human_test_list").read_text().splitlines()
    assert rows == ["id16_600.obj id17_601.obj id16_601.obj", "id17_601.obj id16_601.obj id17_601.obj"]
    export(results, "npt", tmp_path / "npt")
    assert [p.name for p in (tmp_path / "npt").iterdir()] == ["smpl_data"]


@pytest.mark.parametrize("layout", ["3d-corenet-animal", "mapconnet-animal"])
def test_animals_get_the_numbers_and_the_ply_files_of_the_published_toys(tmp_path, layout):
    """30 toys for training, of which the loader draws 29, and 12 for the test: as many as are published."""
    places = Results(tmp_path / "results")
    store = packed(places.packed("meshes", "bodies"), identities=43, poses=4)
    triples = {"identity_mesh": ["id42_3"], "pose_mesh": ["id31_3"], "truth_mesh": ["id42_3"]}
    places.split("bodies", "unseen").parent.mkdir(parents=True)
    pd.DataFrame(triples).to_parquet(places.split("bodies", "unseen"))
    toys, poses = {"train": 30, "val": 1, "test": 12}, {"train": 2, "val": 1, "test": 1}
    dataset = OpenAnimal(source="open-animal", identities=toys, poses=poses)
    said = export(places, layout, tmp_path / "out", dataset)
    published = Smal(source="smal").identities.numbers()
    names = {p.name for p in (tmp_path / "out" / "smal-data").iterdir()}
    numbers = [*published["train"], *published["test"]]
    assert names == {f"toy_{i}_{p}.ply" for i in numbers for p in (0, 1, 400)} and len(numbers) == 41
    assert (tmp_path / "out" / "animal_test_list").read_text() == (
        "toy_40_400.ply toy_16_400.ply toy_40_400.ply\n"
    )
    mesh = read_mesh(tmp_path / "out" / "smal-data" / "toy_38_1.ply")  # the last but one for training
    assert np.array_equal(mesh.vertices, store.vertices(np.array([store.index_of("id27_1")]))[0])
    assert np.array_equal(mesh.faces, store.faces)
    assert said == [
        "identities: 0-15,21,23-24,26-31,34-35,38-39 for training, 16-20,22,25,32-33,36-37,40 for the test; "
        "1 of the training are left out",
        "poses: 0-1 for training, 400 for the test; the loader draws 0-399, so lower its bound",
    ]


def test_of_more_identities_than_the_loader_draws_the_first_are_written(tmp_path):
    places = Results(tmp_path)
    packed(places.packed("meshes", "bodies"), identities=20, poses=3)
    few = {"train": 1, "val": 1, "test": 1}
    dataset = OpenHuman(source="open-human", identities={"train": 18, "val": 1, "test": 1}, poses=few)
    said = export(places, "npt", tmp_path / "out", dataset)
    assert said[0] == "identities: 0-15 for training, 16 for the test; 2 of the training are left out"
    names = {p.name for p in (tmp_path / "out" / "smpl_data").iterdir()}
    assert names == {f"{i}_{p}.obj" for i in range(17) for p in (200, 600)}


def test_what_is_written_is_read_back_as_smpl_npt(tmp_path):
    places = Results(tmp_path / "results")
    store = packed(places.packed("meshes", "bodies"), 3, 3, vertices=6890, faces=13_776)
    few = {"train": 1, "val": 1, "test": 1}
    places.split("bodies", "unseen").parent.mkdir(parents=True)
    one = {"identity_mesh": ["id2_2"], "pose_mesh": ["id2_2"], "truth_mesh": ["id2_2"]}
    pd.DataFrame(one).to_parquet(places.split("bodies", "unseen"))
    export(places, "mapconnet", tmp_path / "out", OpenHuman(source="open-human", identities=few, poses=few))
    back = SmplNpt(
        source="smpl-npt",
        folder=str(tmp_path / "out" / "npt-data"),
        identities={"train": 0, "val": 0, "test": 16},
        poses={"train": 200, "val": 200, "test": 600},
    )
    collect.run(back, tmp_path / "raw.json")
    source = back.open_source(tmp_path / "raw.json")
    items = source.items()
    assert sorted((item.identity, item.pose) for item in items) == [(0, 200), (0, 600), (16, 200), (16, 600)]
    for item, mesh in zip(items, source.meshes(items), strict=True):
        own = mesh_id({0: 0, 16: 2}[item.identity], {200: 0, 600: 2}[item.pose])
        assert np.array_equal(mesh.vertices, store.vertices(np.array([store.index_of(own)]))[0])
        assert np.array_equal(mesh.faces, store.faces)


def test_a_refusal_is_one_line_and_leaves_nothing(results, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ReposeError, match="is there already"):
        export(results, "npt", tmp_path / "there")
    with pytest.raises(
        ReposeError,
        match=r"no layout 'smpl' \(hint: there are npt, 3d-corenet, mapconnet, 3d-corenet-animal, map",
    ):
        export(results, "smpl", tmp_path / "out")
    with pytest.raises(ReposeError, match="the identities of dfaust are not meshes in the same poses"):
        export(results, "npt", tmp_path / "out", Dfaust(source="dfaust"))
    more = OpenHuman(**{**OPEN, "poses": {"train": 5, "val": 1, "test": 1}})
    with pytest.raises(ReposeError, match="no mesh 'id0_6' in the store"):
        export(results, "npt", tmp_path / "out", more)
    with pytest.raises(ReposeError, match="id4_5 is neither a training nor a test mesh"):
        export(
            results,
            "mapconnet",
            tmp_path / "out",
            OpenHuman(**{**OPEN, "poses": {"train": 3, "val": 1, "test": 1}}),
        )
    results.split("bodies", "unseen").write_bytes(b"PAR1")
    with pytest.raises(ReposeError, match="not a list of triples"):
        export(results, "mapconnet", tmp_path / "out")
    results.split("bodies", "unseen").unlink()
    with pytest.raises(ReposeError, match="no triples"):
        export(results, "mapconnet", tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_a_killed_export_leaves_no_folder(results, tmp_path, monkeypatch):
    def full(path, mesh):
        if path.name == "id17_601.obj":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("repose.use.export_meshes.write_mesh", full)
    with pytest.raises(OSError, match="No space left"):
        export(results, "3d-corenet", tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_the_command_finds_its_inputs_by_the_config(results, tmp_path):
    config = {
        "datasets": {"bodies": OPEN},
        "methods": {"copy": {"architecture": "copy", "mesh": "identity"}},
        "tables": {"table1": {"methods": ["copy"], "datasets": ["bodies"]}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "repose", "export-dataset", "bodies", "--layout", "npt"]
    where = ["--config", tmp_path / "config.yaml", "--results", results.root, "--out", tmp_path / "out"]
    ran = subprocess.run([*command, *where], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert re.match("identities: 0-1 for training, 16-17", ran.stdout)
    assert len(list((tmp_path / "out" / "smpl_data").iterdir())) == 20
    again = subprocess.run([*command, *where], capture_output=True, text=True, check=False)
    assert again.returncode == 1 and again.stderr.count("\n") == 1 and "is there already" in again.stderr
