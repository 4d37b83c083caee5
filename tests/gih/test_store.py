import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import google_crc32c
import numpy as np
import pytest
import zarr
from gih.meshes import grid, join, sphere, torus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repose.errors import ReposeError
from repose.gih import layout, store
from repose.gih.compute import distances, mesh_into_store
from repose.gih.convention import METRES, Settings
from repose.gih.reader import GihReader
from repose.gih.solver import all_pairs
from repose.provenance.stated import Stated

MESHES = {"ball": sphere(2), "ring": torus(), "two": join(sphere(1), torus()), "flat": grid(3, 3)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make(tmp_path_factory.mktemp("gih") / "store.zarr")


@pytest.fixture
def fresh(tmp_path):
    return make(tmp_path / "store.zarr", ["ball"])


def make(path, names=tuple(MESHES), options=METRES):
    store.create(path, options)
    store.commit(path, {name: mesh_into_store(path, name, *MESHES[name], options).key for name in names})
    return path


def error_of(matrix):
    return matrix[np.isfinite(matrix)].max() / 65534 / 2 * 1.001 + 1e-6


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("cache", [0, 2**30])
def test_every_entry_comes_back_within_half_a_code(root, name, cache):
    expected = all_pairs(*MESHES[name])
    found = GihReader(root, cache).rows(name, np.arange(len(expected)))
    assert np.array_equal(np.isinf(found), np.isinf(expected))
    finite = np.isfinite(expected)
    assert np.abs(found[finite] - expected[finite]).max() <= error_of(expected)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_blocks_are_parts_of_the_whole(root, data):
    name = data.draw(st.sampled_from(sorted(MESHES)))
    vertices = st.lists(st.integers(0, len(MESHES[name][0]) - 1), max_size=30)
    rows, cols = data.draw(vertices), data.draw(vertices)
    reader = GihReader(root)
    whole = GihReader(root, 2**30).rows(name, np.arange(len(MESHES[name][0])))
    assert np.array_equal(reader.block(name, rows, cols), whole[np.ix_(rows, cols)])
    assert np.array_equal(reader.block(name, rows), whole[np.ix_(rows, rows)])


def test_row_rows_and_batches_agree(root):
    reader = GihReader(root)
    patch = [5, 3, 3, 100]
    assert np.array_equal(reader.row("ball", 7), reader.rows("ball", [7])[0])
    batch = reader.blocks(["ball", "ring"], [patch, [1, 2, 3, 4]], [[0], [9]])
    assert batch.shape == (2, 4, 1)
    assert np.array_equal(batch[1], reader.block("ring", [1, 2, 3, 4], [9]))
    with pytest.raises(ReposeError, match="2 meshes, 1 row sets"):
        reader.blocks(["ball", "ring"], [patch])


def test_zarr_reads_the_same_codes(root):
    reader = GihReader(root)
    info = reader.info("ball")
    codes = zarr.open_group(root, mode="r")[info.key][:]
    order = zarr.open_group(root, mode="r")[f"order-{info.topology}"][:]
    whole = reader.rows("ball", order)[:, order]
    upper = np.arange(len(codes)) >= (np.arange(len(codes)) // layout.BAND * layout.BAND)[:, None]
    assert np.array_equal(layout.decode(codes, info.scale)[upper], whole[upper])
    assert not codes[~upper].any()


def test_attributes_say_what_the_numbers_mean(tmp_path):
    path = make(tmp_path / "s.zarr", ["ball"], Settings(convention="released"))
    key = store.read_index(path, Stated(path, None))["meshes"]["ball"]
    attributes = json.loads((path / key / "zarr.json").read_text())["attributes"]["repose_gih"]
    said = {k: attributes[k] for k in ("units", "values_per_metre", "t", "method", "backend", "format")}
    assert said == {
        "units": "metre", "values_per_metre": 2.0, "t": 0.1, "method": "heat", "backend": "cpu", "format": 2,
    }  # fmt: skip
    assert GihReader(path).info("ball").settings == Settings(convention="released")


def test_the_fallback_is_recorded(tmp_path):
    v, f = sphere(1)
    path = tmp_path / "s.zarr"
    store.create(path, METRES)
    outcome = mesh_into_store(path, "doubled", v, np.concatenate([f, f[:1]]), METRES)
    store.commit(path, {"doubled": outcome.key})
    info = GihReader(path).info("doubled")
    assert (info.method, info.note) == ("potpourri3d", outcome.note)
    assert "more than two faces" in info.note


def test_keys_follow_content(fresh):
    v, f = MESHES["ball"]
    again = mesh_into_store(fresh, "again", v, f, METRES)
    assert again.hit
    keys = {
        again.key,
        mesh_into_store(fresh, "moved", v + np.array([1e-9, 0, 0]), f, METRES).key,
        mesh_into_store(fresh, "reference", v, f, METRES, backend="potpourri3d").key,
        layout.content_key(v, f, Settings(t=0.5), "heat", "order"),
        layout.content_key(v, f, METRES, "heat", "order"),
    }
    assert len(keys) == 5


@pytest.mark.parametrize(("what", "now"), [("code_hash", "edited"), ("software", {"libigl": "99"})])
def test_changed_code_of_the_solver_and_other_libraries_make_new_keys(fresh, monkeypatch, what, now):
    monkeypatch.setattr(layout, what, lambda *modules: now)
    assert not mesh_into_store(fresh, "ball", *MESHES["ball"], METRES).hit


def test_a_store_holds_one_kind_of_numbers(fresh):
    with pytest.raises(ReposeError, match="use another store"):
        store.create(fresh, Settings(convention="released"))


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(ReposeError, match="not a GIH store"):
        store.create(tmp_path, METRES)


def test_replaced_and_forgotten_meshes_leave_nothing(fresh):
    old = store.read_index(fresh, Stated(fresh, None))["meshes"]["ball"]
    new = mesh_into_store(fresh, "ball", MESHES["ball"][0] * 2, MESHES["ball"][1], METRES).key
    store.commit(fresh, {"ball": new, "copy": new})
    assert not (fresh / old).exists()
    (fresh / ".x.host.1.tmp").mkdir()
    (fresh / "notes.txt").touch()
    store.keep_only(fresh, METRES, {"copy": new})
    assert (fresh / new).exists()
    with pytest.raises(ReposeError):
        store.keep_only(fresh, METRES, {"copy": old})
    assert GihReader(fresh).meshes == ["copy"]
    store.keep_only(fresh, METRES, {})
    assert sorted(p.name for p in fresh.iterdir()) == [".lock", "notes.txt", "zarr.json"]
    assert GihReader(fresh).meshes == []


# Damage


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    path = make(tmp_path_factory.mktemp("victim") / "store.zarr", ["ball"])
    return path, GihReader(path).rows("ball", np.arange(162))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_bytes_never_give_other_numbers(victim, data):
    path, expected = victim
    file = data.draw(st.sampled_from(sorted(p for p in path.rglob("*") if p.is_file() and p.name != ".lock")))
    content = file.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    change = data.draw(st.sampled_from(["flip", "cut", "insert", "empty"]))
    changed = {
        "flip": content[:place]
        + bytes([content[place] ^ data.draw(st.integers(1, 255))])
        + content[place + 1 :],
        "cut": content[:place],
        "insert": content[:place] + b"0" + content[place:],
        "empty": b"",
    }[change]
    file.write_bytes(changed)
    try:
        found = GihReader(path).rows("ball", np.arange(162))
    except ReposeError as error:
        assert "\n" not in str(error)
    else:
        assert np.array_equal(found, expected)
    finally:
        file.write_bytes(content)


def shard_of(path):
    return next(path.glob("*/c/0/0"))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing"])
def test_damaged_shards_are_one_clear_line(fresh, damage):
    shard = shard_of(fresh)
    content = bytearray(shard.read_bytes())
    if damage == "truncated":
        shard.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[100] ^= 1
        shard.write_bytes(content)
    else:
        shard.unlink()
    with pytest.raises(ReposeError, match="recompute") as caught:
        GihReader(fresh).verify("ball")
    assert str(fresh) in str(caught.value)


def test_a_newer_format_is_refused(fresh, monkeypatch):
    monkeypatch.setattr(layout, "FORMAT", 0)
    with pytest.raises(ReposeError, match="update repose"):
        GihReader(fresh)


def test_a_matrix_without_digests_of_its_bands_is_refused(fresh):
    file = next(path for path in fresh.glob("*/zarr.json") if len(path.parent.name) == 32)
    metadata = json.loads(file.read_bytes())
    metadata["attributes"][layout.ATTRIBUTES]["format"] = 1
    file.write_bytes(layout.seal(metadata))
    with pytest.raises(
        ReposeError, match=r"a matrix of format 1, without the digests of 2 \(hint: recompute it"
    ):
        GihReader(fresh).info("ball")


def test_an_edited_band_under_a_checksum_made_anew_is_refused(fresh):
    shard, index = shard_of(fresh), 16 * -(-162 // layout.BAND) + 4
    data = bytearray(shard.read_bytes())
    offset, length = np.frombuffer(bytes(data[-index:-4]), "<u8")[:2].tolist()
    data[offset + 20] ^= 1
    crc = google_crc32c.value(bytes(data[offset : offset + length - 4]))
    data[offset + length - 4 : offset + length] = crc.to_bytes(4, "little")
    shard.write_bytes(data)
    reader = GihReader(fresh)
    with pytest.raises(ReposeError, match="digest of rows 0"):
        reader.block("ball", np.arange(162))


@pytest.mark.parametrize("content", [None, "", "{}", '{"attributes": {}}', "[]"])
def test_what_is_no_store_is_one_clear_line(tmp_path, content):
    if content is not None:
        (tmp_path / "zarr.json").write_text(content)
    with pytest.raises(ReposeError):
        GihReader(tmp_path)


@pytest.mark.parametrize(
    ("mesh", "rows", "message"),
    [("cow", [0], "no mesh named 'cow'"), ("ball", [162], "no vertex 162"), ("ball", [-1], "no vertex -1"),
     ("ball", [0.5], "list of integers"), ("ball", [[0]], "list of integers")],
)  # fmt: skip
def test_wrong_questions_are_one_clear_line(root, mesh, rows, message):
    with pytest.raises(ReposeError, match=message):
        GihReader(root).block(mesh, rows)


def contents(folder):
    return sorted((p, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file() and p.name != ".lock")


def test_a_full_disk_leaves_the_old_store(fresh, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = contents(fresh)
    monkeypatch.setattr("repose.provenance.publish._flush", full)
    with pytest.raises(OSError, match="No space left"):
        mesh_into_store(fresh, "new", *MESHES["ring"], METRES)
    assert contents(fresh) == before
    assert GihReader(fresh).meshes == ["ball"]


def test_killed_while_writing_leaves_no_torn_matrix(tmp_path):
    path = tmp_path / "store.zarr"
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "from gih.meshes import sphere\n"
        "from repose.gih import store\n"
        "from repose.gih.convention import METRES\n"
        "from repose.gih.compute import mesh_into_store\n"
        "root = Path(sys.argv[1]); store.create(root, METRES); v, f = sphere(2)\n"
        "for i in range(10**6):\n"
        "    key = mesh_into_store(root, 'm', v * (1 + i), f, METRES).key\n"
        "    store.commit(root, {f'm{i}': key}); print(i, flush=True)\n"
    )
    for attempt in range(2):
        arguments = [sys.executable, "-c", code, str(path), *filter(None, sys.path)]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.05 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        reader = GihReader(path)
        for name in reader.meshes:
            scale = 1 + int(name[1:])
            expected = all_pairs(sphere(2)[0] * scale, sphere(2)[1])
            np.testing.assert_allclose(reader.rows(name, range(162)), expected, atol=error_of(expected))
        # By the form of a key: a name of an unfinished file has 32 characters, too, with some hosts and processes.
        matrices = [entry for entry in path.iterdir() if layout.KEY.fullmatch(entry.name)]
        assert matrices and all((folder / "c/0/0").is_file() for folder in matrices)


# Sharing


@pytest.mark.parametrize("cache", [0, 60_000])
def test_threads_share_a_reader(root, cache):
    reader, failures = GihReader(root, cache), []
    expected = {name: all_pairs(*MESHES[name]) for name in ("ball", "ring")}

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            name = rng.choice(["ball", "ring"])
            rows = rng.integers(0, 128, 9)
            error = np.abs(reader.block(name, rows) - expected[name][np.ix_(rows, rows)]).max()
            if error > error_of(expected[name]):
                failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_fork_reads_even_when_another_thread_held_the_lock(root):
    reader = GihReader(root, 2**20)
    reader.row("ball", 0)
    with reader._guard():
        child = os.fork()
        if child == 0:
            os._exit(0 if reader.row("ball", 1)[1] == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_spawned_worker_gets_a_reader(root):
    reader = GihReader(root, 2**20)
    reader.row("ball", 0)
    copy = pickle.loads(pickle.dumps(reader))
    assert not copy._decoded
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert np.array_equal(pool.apply(reader.row, ("ball", 3)), reader.row("ball", 3))


def test_the_cache_is_bounded(root):
    reader = GihReader(root, cache_bytes=2 * 162**2)
    for name in ("ball", "ring", "flat", "ball"):
        reader.row(name, 0)
        assert sum(m.nbytes for m in reader._decoded.values()) <= reader.cache_bytes
    assert len(reader._decoded) == 1


def test_solution_without_store_is_the_same(root):
    v, f = MESHES["two"]
    assert np.array_equal(distances(v, f).matrix, all_pairs(v, f))
