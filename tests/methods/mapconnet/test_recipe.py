"""What each setting of MAPConNet may see, and that it trains."""

import numpy as np
import pytest
import torch
import trimesh
from pydantic import TypeAdapter, ValidationError

from repose.config.models import Method
from repose.convert.bodies import write_bodies
from repose.convert.catalog import mesh_numbers
from repose.data.meshes import Batch
from repose.data.unlabelled import MeshesByIdentity, Numbers, UnlabelledBatch
from repose.errors import ReposeError
from repose.methods.mapconnet.recipe import MapConNetRecipe, batch_of
from repose.split.protocols import Partition, training_triples
from repose.split.triples import Meshes
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack
from tests import trainings

SMALL = {"width": 8, "identity_channels": 4, "residual_blocks": 1, "refine_width": 8}
SETTINGS = {
    "supervised": {},
    "semi": {"labelled": 50, "unlabelled": True},
    "half": {"labelled": 50},
    "unsupervised": {"labelled": 0, "unlabelled": True},
}


def method(setting, **training):
    training = {"steps": 8, "validate_every": 4, "points": 60, **SETTINGS[setting], **training}
    return TypeAdapter(Method).validate_python({"architecture": "mapconnet", **SMALL, "training": training})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    sphere = trimesh.creation.icosphere(subdivisions=2)
    rng = np.random.default_rng(0)
    bodies = (
        (i, p, (sphere.vertices * rng.uniform(0.5, 1, 3)).astype(np.float32))
        for i in range(6)
        for p in range(8)
    )
    rows = write_bodies(bodies, sphere.faces.astype(np.int32), folder / "obj", "test", "own")
    pack(rows, folder / "obj", folder / "meshes.zarr")
    return MeshStore(folder / "meshes.zarr")


@pytest.fixture(scope="module")
def splits():
    parts = Partition([0, 1, 2, 3], [4, 5], []), Partition([*range(6)], [6, 7], [])
    meshes = Meshes({(i, p) for i in range(6) for p in range(8)})
    return training_triples(meshes, *parts, train=200, val=4, seed=0)


def data_of(setting, store, splits, **training):
    return MapConNetRecipe.read(method(setting, **training), store, splits)


def fit(setting, store, splits, state):
    return trainings.fit(method(setting), store, splits, state)


class Watched(MeshStore):
    """Notes which meshes are read."""

    def vertices(self, indices):
        self.read = [*getattr(self, "read", []), [self.mesh_ids[i] for i in indices]]
        return super().vertices(indices)


def part(names, numbers):
    """Whether all these meshes are of these identities and poses."""
    pairs = [mesh_numbers(name) for name in names]
    return all(i in numbers.identities and p in numbers.poses for i, p in pairs)


def test_the_labelled_half_is_the_released_one():
    humans = Numbers(frozenset(range(16)), frozenset(range(200, 600))).labelled(50)
    assert humans.identities == {13, 11, 0, 12, 14, 2, 10, 7} and len(humans.poses) == 200
    numbers = np.random.RandomState(1234)  # choosing without replacement is the head of a permutation
    assert humans.identities == {int(i) for i in numbers.permutation(16)[:8]}
    assert humans.poses == {int(p) + 200 for p in numbers.permutation(400)[:200]}
    animals = {*range(16), 21, 23, 24, 26, 27, 28, 29, 30, 31, 34, 35, 38, 39}
    chosen = Numbers(frozenset(animals), frozenset(range(400))).labelled(50)
    assert chosen.identities == {7, 10, 4, 1, 38, 8, 3, 14, 13, 24, 34, 29, 2, 35}


def test_labelled_and_unlabelled_parts_share_no_identity_and_no_pose():
    everything = Numbers(frozenset(range(10)), frozenset(range(20)))
    for percent in (0, 10, 50, 80, 100):
        labelled = everything.labelled(percent)
        rest = everything.without(labelled)
        assert len(labelled.identities) == percent / 10 and len(labelled.poses) == percent / 5
        assert not labelled.identities & rest.identities and not labelled.poses & rest.poses
        assert labelled.identities | rest.identities == everything.identities


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_trains_and_the_same_seed_gives_the_same_weights(setting, store, splits, tmp_path):
    one, two = (fit(setting, store, splits, tmp_path / name) for name in "ab")
    assert all(torch.equal(one.weights[k], two.weights[k]) for k in one.weights)
    assert one.history.train_loss[1:].notna().all()


def test_unsupervised_training_is_the_same_without_any_truth_in_the_split(store, splits, tmp_path):
    with_truth = fit("unsupervised", store, splits, tmp_path / "a")
    without = fit("unsupervised", store, splits.drop(columns="truth_mesh"), tmp_path / "b")
    assert all(torch.equal(with_truth.weights[k], without.weights[k]) for k in without.weights)
    assert with_truth.history.equals(without.history)
    with pytest.raises(KeyError):
        fit("supervised", store, splits.drop(columns="truth_mesh"), tmp_path / "c")


def test_no_unsupervised_sample_reads_its_truth(store, splits):
    watched = Watched(store.path)
    data = data_of("unsupervised", watched, splits)
    for step in range(60):
        batch_of(data, 3, 0, step)
    assert len(watched.read) == 3 * 60
    everything = Numbers.seen_in(splits[splits.role == "train"])
    for other, pose, same in zip(*[iter(watched.read)] * 3, strict=True):
        assert part([*other, *pose, *same], everything), "a mesh of the validation split"
        for b, a1, a2 in zip(*(map(mesh_numbers, names) for names in (other, pose, same)), strict=True):
            assert a1[0] == a2[0] != b[0] and a1[1] != a2[1]
            assert (b[0], a1[1]) not in (b, a1, a2), "the truth of B in pose 1"


def test_labelled_steps_of_the_semi_supervised_setting_stay_in_the_labelled_part(store, splits):
    watched = Watched(store.path)
    data = data_of("semi", watched, splits)
    everything = Numbers.seen_in(splits[splits.role == "train"])
    labelled = everything.labelled(50)
    rest = everything.without(labelled)
    expected = {1: (labelled, rest), 3: (rest, labelled), 5: (rest, rest)}
    for step in range(24):
        batch = batch_of(data, 2, 0, step)
        first, second, third = watched.read[-3:]
        if step % 2 == 0:
            assert isinstance(batch, Batch) and part([*first, *second, *third], labelled)
        else:
            others, bodies = expected[step % 6]
            assert isinstance(batch, UnlabelledBatch)
            assert part(first, others) and part([*second, *third], bodies)


def test_batches_follow_from_seed_and_step_alone(store, splits):
    data = data_of("semi", store, splits)
    whole = [batch_of(data, 2, 3, step) for step in range(12)]
    for step, a in enumerate(whole[7:], start=7):
        b = batch_of(data, 2, 3, step)
        pairs = [
            (x, y) for x, y in zip(a, b, strict=True) if x is not None
        ]  # labelled ones have no bodies at rest
        assert len(pairs) == (6 if hasattr(a, "faces") else 5) and all(torch.equal(x, y) for x, y in pairs)


def test_meshes_of_a_body_in_one_pose_are_too_few(store):
    with pytest.raises(ReposeError, match="1 identities and 1 poses are too few to train without truths"):
        MeshesByIdentity(store, Numbers(frozenset([0]), frozenset([3])))


def test_a_split_without_labelled_triples_is_refused(store, splits):
    with pytest.raises(ReposeError, match=r"no training triple is within the 10 % that are labelled"):
        data_of("half", store, splits, labelled=10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labelled": 0}, "labelled: 0 needs unlabelled: true"),
        ({"unlabelled": True}, "nothing is left for unlabelled: true"),
        (
            {"labelled": 50, "unlabelled": True, "augment": {"heading": 30}},
            "augment varies triples with truths",
        ),
    ],
)
def test_settings_that_leave_nothing_to_learn_from_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        method("supervised", **settings)


def test_halves_need_both_some_channels():
    with pytest.raises(ValidationError, match="identity_channels 128 must be less than width 64"):
        TypeAdapter(Method).validate_python(
            {"architecture": "mapconnet", "width": 64, "training": {"steps": 1}}
        )
