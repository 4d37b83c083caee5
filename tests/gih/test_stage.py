"""Stage `gih` without Snakemake: parts and gathering over a small packed store."""

import json

import numpy as np
import pytest
from gih.meshes import sphere
from typer.testing import CliRunner

from repose.cli.gih import app
from repose.config.models import Gih
from repose.convert.bodies import write_bodies
from repose.errors import ReposeError
from repose.gih import layout, stage
from repose.gih.reader import GihReader
from repose.gih.solver import all_pairs
from repose.provenance.manifest import Recorder, load, manifest_path, verify
from repose.results import Results
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack

SCALES = {"id0_0": 1.0, "id0_1": 1.5, "id1_0": 2.0, "id1_1": 2.5}
SETTINGS = Gih(parts=2)


class Dataset:
    """A packed dataset of scaled spheres and the results of its stage."""

    def __init__(self, folder):
        self.folder = folder
        self.meshes, self.root = folder / "meshes.zarr", folder / "gih" / "d.zarr"
        self.manifest = manifest_path(self.root)

    def pack(self, scales, name="a"):
        vertices, faces = sphere(1)
        bodies = (
            (int(i[2]), int(i[4]), (vertices * scale).astype(np.float32)) for i, scale in scales.items()
        )
        rows = write_bodies(bodies, faces, self.folder / name, "test", "own")
        self.meshes = self.folder / f"{name}.zarr"
        pack(rows, self.folder / name, self.meshes)
        Recorder("store", "code", {}).seal(manifest_path(self.meshes), [self.meshes])

    def run(self, settings=SETTINGS):
        files = [self.root.with_suffix("") / f"part{k}.json" for k in range(settings.parts)]
        for number, file in enumerate(files):
            stage.part(settings, number, self.meshes, self.root, file)
        stage.gather(settings, files, self.root)
        return files

    def shards(self):
        return {p: p.stat().st_mtime_ns for p in self.root.glob("*/c/0/0")}

    def contents(self):
        files = (self.root.parent).rglob("*.json")
        return {p: p.read_bytes() for p in files if not p.name.endswith("history.json")}


@pytest.fixture
def dataset(tmp_path):
    made = Dataset(tmp_path)
    made.pack(SCALES)
    return made


def test_the_store_names_every_mesh_and_matches_its_manifest(dataset):
    files = dataset.run()
    reader = GihReader(dataset.root)
    assert reader.meshes == MeshStore(dataset.meshes).mesh_ids == list(SCALES)
    vertices = (sphere(1)[0] * 2.5).astype(np.float32)
    np.testing.assert_allclose(reader.row("id1_1", 5), all_pairs(vertices, sphere(1)[1])[5], atol=1e-3)
    manifest = verify(dataset.manifest)
    assert manifest.content["describe"] == {"meshes": 4, "convention": "metres", "t": None}
    assert manifest.history["inputs"] == {f.stem: load(manifest_path(f)).digest for f in files}
    packed = load(manifest_path(files[0])).history["inputs"]["store"]
    assert packed == load(manifest_path(dataset.meshes)).digest


def test_a_changed_mesh_recomputes_one_matrix(dataset):
    dataset.run()
    before = dataset.shards()
    dataset.pack(SCALES | {"id1_0": 3.0}, "b")
    dataset.run()
    after = dataset.shards()
    assert len(after) == len(before) == 4
    assert len(before.items() - after.items()) == len(after.items() - before.items()) == 1
    assert GihReader(dataset.root).row("id1_0", 0).max() > 3.0 * 2.9
    verify(dataset.manifest)


def test_meshes_may_swap_places_come_and_go(dataset):
    dataset.run()
    before = dataset.shards()
    dataset.pack({"id0_0": 1.5, "id0_1": 1.0, "id1_0": 2.0}, "b")
    dataset.run()
    after = dataset.shards()
    assert len(after) == 3 and after.items() <= before.items()
    assert GihReader(dataset.root).meshes == ["id0_0", "id0_1", "id1_0"]


def test_a_second_run_changes_nothing(dataset):
    dataset.run()
    before, shards = dataset.contents(), dataset.shards()
    dataset.run()
    assert dataset.contents() == before and dataset.shards() == shards


def test_what_killed_runs_left_is_no_part_of_the_store(dataset):
    files = dataset.run()
    before = dataset.manifest.read_bytes()
    (dataset.root / ".0f.host.1.2.tmp").mkdir()
    (dataset.root / ("0" * 32)).mkdir()
    with pytest.raises(ReposeError, match="does not match its manifest"):
        (dataset.root / ("0" * 32) / "zarr.json").touch()
        verify(dataset.manifest)
    stage.gather(SETTINGS, files, dataset.root)
    assert dataset.manifest.read_bytes() == before
    verify(dataset.manifest)


def test_other_settings_replace_the_store(dataset):
    dataset.run()
    dataset.run(Gih(parts=3, convention="released"))
    reader = GihReader(dataset.root)
    assert reader.meshes == list(SCALES) and len(dataset.shards()) == 4
    assert reader.info("id0_0").settings.convention == "released"


def flip(path, place=50):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", ["missing", "cut", "metadata", "order"])
def test_a_store_that_lacks_something_is_never_sealed(dataset, damage):
    files = dataset.run()
    victim = next(iter(dataset.shards()))
    if damage == "missing":
        victim.unlink()
    elif damage == "cut":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif damage == "metadata":
        flip(victim.parents[2] / "zarr.json")
    else:
        flip(next(dataset.root.glob("order-*/c/0")))
    with pytest.raises(ReposeError, match="run again"):
        stage.gather(SETTINGS, files, dataset.root)
    assert not dataset.manifest.exists()


def test_metadata_signed_anew_are_not_those_that_the_part_states(dataset):
    files = dataset.run()
    path = next(iter(dataset.shards())).parents[2] / "zarr.json"
    metadata = json.loads(path.read_bytes())
    metadata["attributes"][layout.ATTRIBUTES]["scale"] *= 2
    path.write_bytes(layout.seal(metadata))
    assert GihReader(dataset.root).meshes  # the index is as it was
    with pytest.raises(ReposeError, match="does not match the manifest of its folder"):
        [GihReader(dataset.root).info(name) for name in SCALES]
    with pytest.raises(ReposeError, match="run again"):
        stage.gather(SETTINGS, files, dataset.root)
    assert not dataset.manifest.exists()


def test_numbers_that_changed_since_they_were_computed_are_refused_by_readers(dataset):
    """The gathering job reads no numbers, and states what they were when they were written."""
    files = dataset.run()
    victim = next(iter(dataset.shards()))
    before = victim.read_bytes()
    flip(victim)
    stage.gather(SETTINGS, files, dataset.root)
    reader = GihReader(dataset.root)
    with pytest.raises(ReposeError, match="the shard is damaged: digest of rows 0"):
        [reader.row(name, 0) for name in SCALES]
    with pytest.raises(ReposeError, match="does not match its manifest"):
        verify(dataset.manifest)
    victim.write_bytes(before)
    verify(dataset.manifest)


def test_neighbours_in_the_packed_store_share_a_part(dataset):
    files = dataset.run(Gih(parts=3))
    made = [list(json.loads(file.read_text())["meshes"]) for file in files]
    assert made == [["id0_0"], ["id0_1"], ["id1_0", "id1_1"]]


def test_an_altered_part_is_refused(dataset):
    files = dataset.run()
    files[0].write_text(json.dumps({"id0_0": "0" * 32}))
    with pytest.raises(ReposeError, match="does not match its manifest"):
        stage.gather(SETTINGS, files, dataset.root)
    with pytest.raises(ReposeError, match="no part 2"):
        stage.part(SETTINGS, 2, dataset.meshes, dataset.root, files[0])


def test_the_commands_do_the_same(dataset, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        "datasets: {d: {source: open-human, identities: {train: 1, val: 1, test: 1},"
        " poses: {train: 1, val: 1, test: 1}}}\n"
        "methods: {copy: {architecture: copy, mesh: identity}}\n"
        "tables: {table1: {datasets: [d], methods: [copy]}}\n"
        "gih: {parts: 1}\n"
    )
    places = Results(tmp_path)
    packed = places.packed("meshes", "d")
    packed.parent.mkdir(parents=True)
    for old, new in ((dataset.meshes, packed), (manifest_path(dataset.meshes), manifest_path(packed))):
        old.rename(new)
    Recorder("store", "code", {}).seal(manifest_path(packed), [packed])
    options = ["d", "--config", config, "--results", tmp_path]
    for arguments in (["part", *options, 0], ["gather", *options]):
        result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    made = verify(manifest_path(places.gih("d")))
    assert made.content["describe"]["meshes"] == 4
    assert made.parents == {"part0": manifest_path(places.gih_part("d", 0))}
