"""No stage hashes more than it reads: every digest that is computed is counted, by file and by bytes."""

import hashlib
from collections import Counter

import pytest
from provenance.stores import NAMES, SETTINGS, converted, distances, packed, predicted

from repose.errors import ReposeError
from repose.gih import stage as gih
from repose.gih.reader import GihReader
from repose.gih.shard import Shard
from repose.provenance.manifest import manifest_path
from repose.provenance.stated import Stated
from repose.report import stage as report
from repose.score import stage as score
from repose.specs import Spec
from repose.store import meshes as store
from repose.store import pack
from repose.tables import stage as tables

CHUNKS = [f"meshes.zarr/vertices/c/{k}/0/0" for k in range(3)]  # of two meshes each


class Hashed(Counter):
    """Bytes that were hashed, by file; a file that is hashed twice counts twice."""

    def __init__(self, folder, patch):
        super().__init__()
        self.folder = folder
        digest_file, check, chunk = hashlib.file_digest, Stated.check, Shard._chunk

        def file_digest(stream, kind, /):
            self.add(stream.name, len(stream.read()))
            stream.seek(0)
            return digest_file(stream, kind)

        def checked(files, path, data):
            if files.digest(path) is not None:
                self.add(path, len(memoryview(data).cast("B")))
            return check(files, path, data)

        def band(shard, file, number):
            self.add(shard.path, int(shard._index[number][1]))
            return chunk(shard, file, number)

        patch.setattr(hashlib, "file_digest", file_digest)
        patch.setattr(Stated, "check", checked)
        patch.setattr(Shard, "_chunk", band)

    def add(self, path, size):
        self[str(path).removeprefix(f"{self.folder}/")] += size


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "CHUNK_BYTES", 2 * 12 * 42)
    return tmp_path


@pytest.fixture
def hashed(folder, monkeypatch):
    return Hashed(folder, monkeypatch)


def sizes(path):
    return {f"{path.name}/{p.relative_to(path)}": p.stat().st_size for p in path.rglob("*") if p.is_file()}


def test_packing_hashes_each_file_once(folder, hashed):
    catalog, files = converted(folder)
    hashed.clear()
    store.run(catalog, files, folder / "meshes.zarr")
    expected = sizes(files) | sizes(folder / "meshes.zarr")
    first = f"obj/{NAMES[0]}.obj"
    expected[first] *= 2  # read for its faces, and again with its chunk
    assert hashed == Counter(expected | {"catalog.parquet": catalog.stat().st_size})


def test_a_part_of_the_distances_hashes_its_share_of_the_meshes(folder, hashed):
    meshes = packed(folder)
    distances(meshes)
    chunk = 2 * 12 * 42
    for number in range(SETTINGS.parts):
        hashed.clear()
        gih.part(SETTINGS, number, meshes, folder / "gih.zarr", folder / "gih" / f"part{number}.json")
        # A worker opens the store for each of its two meshes.
        assert {name: size for name, size in hashed.items() if name in CHUNKS} == {CHUNKS[number]: 2 * chunk}
        assert not [name for name in hashed if name.endswith("/c/0/0") and "gih.zarr" in name]


def test_gathering_hashes_no_numbers(folder, hashed):
    parts = distances(packed(folder))
    hashed.clear()
    gih.gather(SETTINGS, parts, folder / "gih.zarr")
    shards = {
        name: size for name, size in sizes(folder / "gih.zarr").items() if len(name.split("/")[1]) == 32
    }
    shards = {name: size for name, size in shards.items() if name.endswith("c/0/0")}
    assert len(shards) == len(NAMES) and not shards.keys() & hashed.keys()
    metadata = {name for name in hashed if name.endswith("/zarr.json") and len(name.split("/")[1]) == 32}
    assert len(metadata) == len(NAMES)


def test_a_reader_of_distances_hashes_the_bands_that_it_reads(folder, hashed):
    distances(packed(folder))
    hashed.clear()
    reader = GihReader(folder / "gih.zarr")
    reader.block(NAMES[3], [0])
    (shard,) = [name for name in hashed if name.endswith("/c/0/0")]
    assert 0 < hashed[shard] < (folder / shard).stat().st_size / 2
    assert len([name for name in hashed if name.endswith("/zarr.json")]) == 3, "index, matrix and order"


def test_stages_hash_the_meshes_that_they_read(folder, hashed):
    meshes = packed(folder)
    hashed.clear()
    predictions = predicted(meshes)  # the two triples are of bodies 1 and 2
    assert {name for name in hashed if name in CHUNKS} == set(CHUNKS[1:])
    hashed.clear()
    score.run(predictions, meshes, {"unseen": folder / "unseen.parquet"}, folder / "scores.parquet")
    assert {name for name in hashed if name in CHUNKS} == {CHUNKS[2]}, "identity and truth are of body 2"
    vertices = {name: size for name, size in hashed.items() if name.startswith("predictions.zarr/unseen/")}
    assert vertices == {name: size for name, size in sizes(predictions).items() if "/unseen/" in name}
    assert hashed["unseen.parquet"] == (folder / "unseen.parquet").stat().st_size


def test_a_table_hashes_scores_and_a_figure_what_it_draws(folder, hashed):
    meshes = packed(folder)
    predictions = predicted(meshes)
    run = {"scores:d/copy/seed0": folder / "scores.parquet", "predictions:d/copy/seed0": predictions}
    score.run(predictions, meshes, {"unseen": folder / "unseen.parquet"}, folder / "scores.parquet")
    hashed.clear()
    names = {"table": "table1", "medium": "meshes", "runs": ["d/copy/seed0"], "protocols": {"d": ["unseen"]}}
    tables.run(Spec("tables", ("repose.errors",), names), run, folder / "table1.csv")
    assert hashed == Counter(
        {p: (folder / p).stat().st_size for p in ("scores.parquet", "table1.csv", "table1.md", "table1.tex")}
    )
    hashed.clear()
    shown = {"table": "table1", "medium": "meshes", "shown": {"d": {"copy": "unseen"}}}
    inputs = {"predictions:d/copy": predictions, "store:d": meshes}
    report.run(Spec("report", ("repose.errors",), shown), inputs, folder / "table1.png")
    assert {name for name in hashed if name in CHUNKS} == set(CHUNKS[1:])


def test_what_is_not_hashed_before_is_refused_when_it_is_read(folder):
    meshes = packed(folder)
    predictions = predicted(meshes)
    path = folder / CHUNKS[2]
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)
    with pytest.raises(ReposeError, match="does not match the manifest of its folder"):
        score.run(predictions, meshes, {"unseen": folder / "unseen.parquet"}, folder / "scores.parquet")
    assert not manifest_path(folder / "scores.parquet").exists()
