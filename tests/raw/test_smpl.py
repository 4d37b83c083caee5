"""Bodies from a model file: the published draws, the model's equations, and a reader that runs nothing."""

import os
import pickle
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from pydantic import TypeAdapter
from released import body, faces_of
from scipy.sparse import csc_matrix
from scipy.spatial.transform import Rotation

from repose.config.models import Dataset
from repose.errors import ReposeError
from repose.raw import smpl_sampling as sampling
from repose.raw.collect import run
from repose.raw.model_file import read_arrays
from repose.raw.smpl_body import ARRAYS, BodyModel, read_body_model

PARENTS = (0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


def arrays(vertices: int, seed: int = 0) -> dict[str, np.ndarray]:
    """A model of random numbers with SMPL's joints."""
    rng = np.random.default_rng(seed)
    weights, regressor = rng.random((vertices, 24)), rng.random((24, vertices))
    is_full = vertices == 6890
    return {
        "v_template": body(0, 0).astype(float) if is_full else rng.normal(size=(vertices, 3)),
        "shapedirs": 0.01 * rng.normal(size=(vertices, 3, 10)),
        "posedirs": 0.001 * rng.normal(size=(vertices, 3, 207)),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "kintree_table": np.array([(2**32 - 1, *PARENTS), range(24)], np.uint32),
        "f": (faces_of(6890) if is_full else np.array([[0, 1, 2]])).astype(np.uint32),
    }


def read(folder: Path, **changed) -> BodyModel:
    np.savez(folder / "SMPL_MALE.npz", **(arrays(40) | changed))
    return read_body_model(folder / "SMPL_MALE.npz")


def plainly(model: dict[str, np.ndarray], betas: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """SMPL's equations with 4 × 4 matrices, vertex by vertex."""
    shaped = model["v_template"] + np.einsum("vab,b->va", model["shapedirs"], betas)
    joints = model["J_regressor"] @ shaped
    turns = [Rotation.from_rotvec(r).as_matrix() for r in pose]
    feature = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    posed = shaped + np.einsum("vap,p->va", model["posedirs"], feature)
    world = []
    for j in range(24):
        local = np.eye(4)
        local[:3, :3] = turns[j]
        local[:3, 3] = joints[j] - (joints[PARENTS[j - 1]] if j else 0)
        world.append(world[PARENTS[j - 1]] @ local if j else local)
    out = []
    for v, weights in zip(posed, model["weights"], strict=True):
        moved = [world[j] @ np.append(v - joints[j], 1) for j in range(24)]
        out.append(sum(w * m for w, m in zip(weights, moved, strict=True))[:3])
    return np.array(out)


def test_the_model_follows_the_equations(tmp_path):
    rng = np.random.default_rng(1)
    betas, pose = rng.normal(size=10), rng.normal(size=(24, 3))
    ours = read(tmp_path).vertices(betas, pose)
    assert np.abs(ours - plainly(arrays(40), betas, pose)).max() < 1e-12
    assert (
        np.abs(read(tmp_path).vertices(np.zeros(10), np.zeros((24, 3))) - arrays(40)["v_template"]).max()
        < 1e-12
    )


def test_a_pose_takes_35_draws_in_order():
    for number, is_bent in ((0, True), (399, True), (400, False), (799, False)):
        plain = random.Random(number)
        drawn = [plain.uniform(low, high) for _, low, high in sampling.draws(is_bent)]
        assert len(drawn) == 35
        pose = np.degrees(sampling.pose(number))
        # 1-3: the left arm; 19-21: the left leg; 31-32: neck and spine; 33-35: the root
        assert pose[13, 1:].tolist() == pytest.approx(drawn[:2]) and np.array_equal(pose[13], pose[16])
        assert pose[18].tolist() == pytest.approx([0, drawn[2], 0])
        assert (pose[1, 0], pose[1, 2], pose[4, 0]) == pytest.approx(tuple(drawn[18:21]))
        assert pose[[12, 15]].ravel().tolist() == pytest.approx([drawn[30]] * 6)
        assert pose[[3, 6, 9]].ravel().tolist() == pytest.approx([drawn[31]] * 9)
        assert pose[0].tolist() == pytest.approx(drawn[32:])
        assert not pose[[10, 11]].any()


def test_angles_stay_in_the_published_ranges():
    for numbers, hip, knee, wrist in ((range(0, 400, 7), 40, 100, 20), (range(400, 800, 7), 5, 10, 10)):
        poses = np.degrees([sampling.pose(n) for n in numbers])
        assert (
            (poses[:, 18, 1].min() >= -60) and (poses[:, 18, 1].max() <= 0) and (poses[:, 19, 1].min() >= 0)
        )
        assert 0.8 * hip < poses[:, 1, 2].max() <= hip and -hip <= poses[:, 2, 2].min() < -0.8 * hip
        assert 0.8 * knee < poses[:, 4, 0].max() <= knee and 0.8 * wrist < np.abs(poses[:, 20]).max() <= wrist
        assert np.abs(poses[:, 0]).max() <= 2
    betas = np.array([sampling.betas(i) for i in range(30)])
    assert betas.min() >= -4 and betas.max() < 4 and np.ptp(betas) > 7


def test_the_legacy_generators_give_the_known_numbers():
    # numpy.random.seed(0); numpy.random.rand() and random.seed(0); random.random(), as documented everywhere
    assert sampling.betas(0)[0] == pytest.approx(8 * (0.5488135039273248 - 0.5), abs=1e-15)
    assert np.degrees(sampling.pose(0))[13, 1] == pytest.approx(-30 + 60 * 0.8444218515250481, abs=1e-12)


def test_a_dataset_is_made_from_the_model(tmp_path):
    (tmp_path / "in").mkdir()
    np.savez(tmp_path / "in" / "SMPL_MALE.npz", **arrays(6890))
    parts = {"identities": {"train": 0, "val": 0, "test": 1}, "poses": {"train": 3, "val": 400, "test": 5}}
    chosen = TypeAdapter(Dataset).validate_python({"source": "smpl", "folder": str(tmp_path / "in"), **parts})
    run(chosen, tmp_path / "out" / "raw.json")
    source = pickle.loads(pickle.dumps(chosen.open_source(tmp_path / "out" / "raw.json")))
    items = source.items()
    assert [(item.identity, item.pose) for item in items] == [(i, p) for i in (0, 1) for p in (3, 5, 400)]
    model = read_body_model(tmp_path / "in" / "SMPL_MALE.npz")
    for item, mesh in zip(items, source.meshes(items), strict=True):
        expected = model.vertices(sampling.betas(item.identity), sampling.pose(item.pose))
        assert np.array_equal(mesh.vertices, expected.astype(np.float32))
    assert len({item.key for item in items}) == 6
    (tmp_path / "in" / "SMPL_FEMALE.npz").write_bytes(b"")
    with pytest.raises(ReposeError, match="which model"):
        run(chosen, tmp_path / "out" / "raw.json")


@pytest.fixture
def chumpy(monkeypatch):
    """A stand-in for the library that SMPL's pickles refer to."""
    module = ModuleType("chumpy.ch")
    module.Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    monkeypatch.setitem(sys.modules, "chumpy", ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    yield module.Ch
    monkeypatch.undo()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickled_model_is_the_same_as_its_arrays(protocol, chumpy, tmp_path):
    plain = arrays(40)
    content = dict(plain, bs_type="lrotmin", J_regressor=csc_matrix(plain["J_regressor"]))
    content["shapedirs"] = chumpy()
    content["shapedirs"].x = plain["shapedirs"]
    (tmp_path / "basicmodel_m_lbs_10_207_0_v1.0.0.pkl").write_bytes(pickle.dumps(content, protocol))
    found = read_arrays(tmp_path / "basicmodel_m_lbs_10_207_0_v1.0.0.pkl", ARRAYS)
    assert all(np.array_equal(found[name], plain[name]) for name in ARRAYS)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_pickle_that_acts_is_refused_before_it_does(tmp_path):
    content = arrays(40) | {"more": Evil(tmp_path / "made")}
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(content, 2))
    with pytest.raises(ReposeError, match="it asks for posix.mkdir"):
        read_body_model(tmp_path / "m.pkl")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"weights": np.ones((40, 23))}, "weights has shape"),
        ({"posedirs": np.ones((40, 3, 200))}, "posedirs has shape"),
        ({"v_template": np.full((40, 3), np.nan)}, "not finite"),
        ({"kintree_table": np.array([[0] + [23] * 23, range(24)])}, "before its parent"),
        ({"f": np.array([["a", "b", "c"]])}, "f is not an array of numbers"),
        ({"f": np.array([None])}, "values of type object"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(changed, says, tmp_path):
    with pytest.raises(ReposeError, match=says):
        read(tmp_path, **changed)


def test_a_pipe_in_place_of_a_model_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "m.pkl")
    with pytest.raises(ReposeError, match="not a regular file"):
        read_body_model(tmp_path / "m.pkl")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", pickle.dumps([1]), pickle.dumps({"f": 1})])
def test_what_is_no_model_is_refused(content, tmp_path):
    (tmp_path / "m.pkl").write_bytes(content)
    with pytest.raises(ReposeError, match="not a whole pickle|not a .npz|holds no array"):
        read_body_model(tmp_path / "m.pkl")
