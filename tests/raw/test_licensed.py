"""Licensed datasets, from what was downloaded to meshes: numbers, order, units and axes."""

import pickle
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from pydantic import TypeAdapter
from released import body, faces_of, obj, ply, write_anime, write_dfaust, write_faust

from repose.config.models import Dataset
from repose.errors import MeshError, ReposeError
from repose.provenance.manifest import manifest_path, verify
from repose.raw.collect import run
from repose.raw.dfaust import MOTIONS

PEOPLE, POSES = (0, 3), (1, 2, 9)
FAUST = {"source": "faust", "identities": {"train": 0, "val": 0, "test": 3}}
FAUST["poses"] = {"train": 1, "val": 2, "test": 9}


def dataset(folder: Path, **settings) -> Dataset:
    return TypeAdapter(Dataset).validate_python(settings | {"folder": str(folder)})


def opened(chosen: Dataset, out: Path):
    """The source of a dataset after its stage `raw`, as a worker process gets it."""
    run(chosen, out)
    verify(manifest_path(out))
    return pickle.loads(pickle.dumps(chosen.open_source(out)))


def check_faust(source) -> None:
    items = source.items()
    assert [(item.identity, item.pose) for item in items] == [(i, p) for i in PEOPLE for p in POSES]
    for item, mesh in zip(items, source.meshes(items), strict=True):
        assert np.array_equal(mesh.vertices, body(item.identity, item.pose))
        assert np.array_equal(mesh.faces, faces_of(6890))


def test_faust_from_the_archive(tmp_path):
    write_faust(tmp_path / "in" / "MPI-FAUST.zip", PEOPLE, POSES)
    source = opened(dataset(tmp_path / "in", **FAUST), tmp_path / "out" / "raw.json")
    check_faust(source)
    assert source.licence == "research only"
    unpacked = [p for p in (tmp_path / "out" / "unpacked").rglob("*") if p.is_file()]
    assert {p.suffix for p in unpacked} == {".ply"} and len(unpacked) == 6


def test_faust_from_a_folder_is_the_same_and_copies_nothing(tmp_path):
    archive = write_faust(tmp_path / "in" / "MPI-FAUST.zip", PEOPLE, POSES)
    packed = opened(dataset(tmp_path / "in", **FAUST), tmp_path / "a" / "raw.json").items()
    shutil.unpack_archive(archive, tmp_path / "folder" / "anywhere")
    source = opened(dataset(tmp_path / "folder", **FAUST), tmp_path / "b" / "raw.json")
    check_faust(source)
    assert [item.key for item in source.items()] == [item.key for item in packed]
    assert list((tmp_path / "b" / "unpacked").iterdir()) == []


def test_only_the_key_of_a_changed_file_changes(tmp_path):
    shutil.unpack_archive(write_faust(tmp_path / "MPI-FAUST.zip", PEOPLE, POSES), tmp_path / "in")
    chosen, out = dataset(tmp_path / "in", **FAUST), tmp_path / "out" / "raw.json"
    source = opened(chosen, out)
    before = {(item.identity, item.pose): item.key for item in source.items()}
    changed = next((tmp_path / "in").rglob("tr_reg_032.ply"))
    changed.write_bytes(ply(body(7, 7), faces_of(6890)))
    items = source.items()
    reader = source.meshes(items[4:])
    with pytest.raises(MeshError, match=r"tr_reg_032\.ply: has changed since"):
        next(reader)
    assert np.array_equal(next(source.meshes(items[5:])).vertices, body(3, 9))
    after = {(item.identity, item.pose): item.key for item in opened(chosen, out).items()}
    assert {mesh for mesh in before if before[mesh] != after[mesh]} == {(3, 2)}


def test_a_set_that_is_not_there_says_what_to_get_from_whom_and_where_to_put_it(tmp_path):
    with pytest.raises(ReposeError) as caught:
        run(dataset(tmp_path / "data" / "raw" / "faust", **FAUST), tmp_path / "out" / "raw.json")
    message = str(caught.value)
    assert "MPI-FAUST.zip" in message and "https://faust" in message and "\n" not in message
    assert str(tmp_path / "data" / "raw" / "faust") in message
    assert not (tmp_path / "out" / "raw.json").exists()


def test_an_incomplete_set_says_what_is_missing(tmp_path):
    write_faust(tmp_path / "in" / "MPI-FAUST.zip", PEOPLE, POSES[:2])
    with pytest.raises(ReposeError, match="2 of 6 meshes are missing, the first is identity 0 in pose 9"):
        run(dataset(tmp_path / "in", **FAUST), tmp_path / "out" / "raw.json")
    write_faust(tmp_path / "in" / "MPI-FAUST.zip", [5], POSES)
    with pytest.raises(ReposeError, match="MPI-FAUST.zip, and put it in"):
        run(dataset(tmp_path / "in", **FAUST), tmp_path / "out" / "raw.json")
    assert not (tmp_path / "out" / "raw.json").exists()


def test_a_mesh_of_another_size_is_refused(tmp_path):
    archive = write_faust(tmp_path / "in" / "MPI-FAUST.zip", PEOPLE, POSES)
    shutil.unpack_archive(archive, tmp_path / "in")
    archive.unlink()
    (tmp_path / "in/MPI-FAUST/training/registrations/tr_reg_001.ply").write_bytes(
        ply(body(0, 0, 3889), faces_of(3889))
    )
    source = opened(dataset(tmp_path / "in", **FAUST), tmp_path / "out" / "raw.json")
    with pytest.raises(
        MeshError, match=r"tr_reg_001\.ply: 3889 vertices and 7774 faces, where faust has 6890"
    ):
        next(source.meshes(source.items()))


@pytest.mark.parametrize("prefix", ["", "id"])
def test_smpl_npt_has_two_namings(prefix, tmp_path):
    (tmp_path / "in").mkdir()
    for i, p in ((0, 200), (0, 7), (16, 200), (16, 7)):
        (tmp_path / "in" / f"{prefix}{i}_{p}.obj").write_bytes(obj(body(i, p % 10), faces_of(6890)))
    people = {"train": "0", "val": "0", "test": "16"}
    poses = {"train": "200", "val": "7", "test": "7"}
    chosen = dataset(tmp_path / "in", source="smpl-npt", identities=people, poses=poses)
    source = opened(chosen, tmp_path / "out" / "raw.json")
    items = source.items()
    assert [(item.identity, item.pose) for item in items] == [(0, 7), (0, 200), (16, 7), (16, 200)]
    for item, mesh in zip(items, source.meshes(items), strict=True):
        assert np.abs(mesh.vertices - body(item.identity, item.pose % 10)).max() <= 6e-7
        assert np.array_equal(mesh.vertices, mesh.vertices.astype(np.float32))


def test_smpl_npt_in_both_namings_at_once_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("0_1.obj", "id0_1.obj"):
        (tmp_path / "in" / name).write_bytes(obj(body(0, 1), faces_of(6890)))
    one = {"train": "0", "val": "0", "test": "0"}
    chosen = dataset(tmp_path / "in", source="smpl-npt", identities=one, poses=dict.fromkeys(one, "1"))
    source = opened(chosen, tmp_path / "out" / "raw.json")
    with pytest.raises(ReposeError, match=r"0_1\.obj and id0_1\.obj are both identity 0 in pose 1"):
        source.items()


@pytest.mark.parametrize("up", ["y", "z"])
def test_smal_keeps_coordinates_or_turns_them(up, tmp_path):
    with zipfile.ZipFile(tmp_path / "animals.zip", "w") as archive:
        archive.writestr("smal/toy_40_599.ply", ply(body(1, 2, 3889), faces_of(3889)))
    one = {"train": "40", "val": "40", "test": "40"}
    chosen = dataset(tmp_path, source="smal", identities=one, poses=dict.fromkeys(one, "599"), up=up)
    source = opened(chosen, tmp_path / "out" / "raw.json")
    [item] = source.items()
    [mesh] = source.meshes([item])
    x, y, z = body(1, 2, 3889).T
    assert (item.identity, item.pose) == (40, 599)
    assert np.array_equal(mesh.vertices.T, (x, y, z) if up == "y" else (x, z, -y))
    other = opened(chosen.model_copy(update={"up": "y"}), tmp_path / "other" / "raw.json")
    assert (other.items()[0].key == item.key) == (up == "y")


def test_dfaust_takes_every_nth_frame(tmp_path):
    sequences = {"50002": ["hips", "punching"], "50004": ["hips"], "50007": ["knees", "hips"]}
    write_dfaust(tmp_path / "in", sequences)
    people = {"train": "50002", "val": "50004", "test": "50007"}
    motions = {"train": ["hips"], "val": ["punching"], "test": ["hips"]}
    chosen = dataset(tmp_path / "in", source="dfaust", identities=people, motions=motions, stride=2)
    source = opened(chosen, tmp_path / "out" / "raw.json")
    items = source.items()
    punching = 10_000 * MOTIONS.index("punching")
    poses = {50002: [0, 2, 4, punching, punching + 2, punching + 4], 50004: [0, 2, 4], 50007: [0, 2, 4]}
    assert [(item.identity, item.pose) for item in items] == [(i, p) for i in poses for p in poses[i]]
    for item, mesh in zip(items, source.meshes(items), strict=True):
        k = sequences[str(item.identity)].index("punching" if item.pose >= punching else "hips")
        assert np.array_equal(mesh.vertices, body(item.identity % 10, 10 * k + item.pose % 10_000))
    assert len({item.key for item in items}) == len(items)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: f.__delitem__("faces"), "'faces' is missing"),
        (
            lambda f: (f.__delitem__("faces"), f.__setitem__("faces", h5py.ExternalLink("/etc/x", "y"))),
            "or a link",
        ),
        (lambda f: (f.__delitem__("faces"), f.__setitem__("faces", "text")), "not a plain array"),
        (lambda f: (f.__delitem__("50002_hips"), f.__setitem__("50002_hips", np.ones((5, 3)))), "has shape"),
        (
            lambda f: (f.__delitem__("50002_hips"), f.__setitem__("50002_hips", np.ones((5, 3, 2)))),
            "5 vertices|names",
        ),
        (lambda f: f["50002_hips"].__setitem__((7, 1, 0), np.nan), "vertex 7 is not finite"),
    ],
)
def test_dfaust_refuses_what_is_no_registration(damage, says, tmp_path):
    write_dfaust(tmp_path, {"50002": ["hips"]})
    with h5py.File(tmp_path / "registrations_m.hdf5", "a") as file:
        damage(file)
    people = {"train": "50002", "val": "50002", "test": "50002"}
    source = opened(dataset(tmp_path, source="dfaust", identities=people), tmp_path / "out" / "raw.json")
    with pytest.raises(MeshError, match=says) as caught:
        list(source.meshes(source.items()))
    assert "registrations_m.hdf5" in str(caught.value)


def test_dfaust_refuses_what_is_no_hdf5(tmp_path):
    (tmp_path / "registrations_m.hdf5").write_bytes(b"<html>")
    source = opened(dataset(tmp_path, source="dfaust"), tmp_path / "out" / "raw.json")
    with pytest.raises(MeshError, match="not an HDF5 file"):
        source.items()


def test_mixamo_is_one_character_in_a_box_of_one(tmp_path):
    centimetres = 100 * body(4, 0) + [3, 90, 0]
    (tmp_path / "Ch24_nonPBR.obj").write_bytes(obj(centimetres, faces_of(6890)))
    (tmp_path / "Other.obj").write_bytes(obj(body(0, 0), faces_of(6890)))
    source = opened(
        dataset(tmp_path, source="mixamo", character="Ch24_nonPBR"), tmp_path / "out" / "raw.json"
    )
    [item] = source.items()
    [mesh] = source.meshes([item])
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert (item.identity, item.pose) == (0, 0)
    assert (high - low).max() == pytest.approx(1, abs=1e-6) and np.abs(low + high).max() < 1e-6
    assert np.allclose(np.ptp(mesh.vertices, axis=0) * 1.8, np.ptp(body(4, 0), axis=0), atol=1e-5)
    with pytest.raises(ReposeError, match=r"no file that the config asks for among 2 files of mixamo"):
        run(dataset(tmp_path, source="mixamo", character="Ch25"), tmp_path / "out" / "raw.json")


def animal(folder: Path, motions: dict[str, int], name: str = "bear3EP") -> np.ndarray:
    """Motions of some length; returns frame 0 of the first. Frame t of motion k is moved by t + k in x."""
    rng = np.random.default_rng(0)
    first, faces = rng.normal(size=(8, 3)).astype(np.float32), np.array([[0, 1, 2], [5, 6, 7]])
    for k, (motion, frames) in enumerate(sorted(motions.items())):
        offsets = np.zeros((frames - 1, 8, 3), np.float32)
        offsets[:, :, 0] = np.arange(1, frames)[:, None]
        write_anime(
            folder / f"{name}_{motion}" / f"{name}_{motion}.anime",
            first + np.array([k, 0, 0]),
            faces,
            offsets,
        )
    return first


def test_deformingthings4d_has_a_template_and_drawn_frames_in_one_scale(tmp_path):
    first = animal(tmp_path / "animals", {"Agression": 10, "walk_fast": 7})
    animal(tmp_path / "animals", {"run": 9}, name="foxXAT")
    chosen = dataset(tmp_path, source="deformingthings4d", animal="bear3EP", frames=5)
    source = opened(chosen, tmp_path / "out" / "raw.json")
    items = source.items()
    assert [(item.identity, item.pose) for item in items] == [(0, p) for p in range(6)]
    assert items[0].source == "animals/bear3EP_Agression/bear3EP_Agression.anime:0"
    shift = {"Agression": 0, "walk_fast": 1}
    places = [item.source.removesuffix(".anime").split("bear3EP_")[-1].split(".anime:") for item in items]
    assert len({tuple(p) for p in places}) == 6 and all(int(frame) % 3 == 0 for _, frame in places)
    side, centre = np.ptp(first, axis=0).max(), (first.min(axis=0) + first.max(axis=0)) / 2
    for (motion, frame), mesh in zip(places, source.meshes(items), strict=True):
        moved = (first + np.array([shift[motion] + int(frame), 0, 0]) - centre) / side
        assert np.allclose(mesh.vertices, moved[:, [0, 2, 1]] * [1, 1, -1], atol=1e-5)
    assert source.items() == items
    with pytest.raises(ReposeError, match="has 6 frames besides its template, fewer than 7"):
        chosen.model_copy(update={"frames": 7}).open_source(tmp_path / "out" / "raw.json").items()


def test_deformingthings4d_refuses_motions_of_another_mesh(tmp_path):
    animal(tmp_path, {"a": 4, "b": 4})
    write_anime(
        tmp_path / "bear3EP_b" / "bear3EP_b.anime", np.ones((3, 3)), np.array([[0, 1, 2]]), np.ones((3, 3, 3))
    )
    chosen = dataset(tmp_path, source="deformingthings4d", animal="bear3EP", frames=3)
    source = opened(chosen, tmp_path / "out" / "raw.json")
    with pytest.raises(MeshError, match=r"bear3EP_b\.anime:0: has another mesh than the first motion"):
        list(source.meshes(source.items()))
