"""Training bodies turned, sized, rough, thinned and holed; the truth follows."""

import numpy as np
import pandas as pd
import pytest
import torch

from repose.data.augmentation import Augmentation
from repose.data.meshes import Triples, training_batches
from repose.data.variation import varied_order, varied_triples
from repose.mesh.operators import unique_edges
from tests.worms import worm_store

ROWS = pd.DataFrame({"identity_mesh": ["id2_1"], "pose_mesh": ["id3_2"], "truth_mesh": ["id2_2"]})


@pytest.fixture
def store(tmp_path):
    return worm_store(tmp_path / "worms")


def lengths(vertices, edges):
    return np.linalg.norm(vertices[..., edges[:, 0], :] - vertices[..., edges[:, 1], :], axis=-1)


def meshes_of(store):
    return [store.vertices(np.array([store.index_of(ROWS[column][0])])) for column in ROWS]


def turn_between(before, after):
    """The rotation and factor that bring centred points onto others, and what is left."""
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    u, s, vt = np.linalg.svd(a.T @ b)
    factor = s.sum() / np.square(a).sum()
    return u @ vt, factor, np.abs(factor * a @ u @ vt - b).max()


def test_the_truth_is_turned_as_the_pose_mesh_and_as_large_as_the_identity(store):
    meshes = meshes_of(store)
    settings = Augmentation(heading=180, tilt=7, size=1.5)
    varied = varied_triples(settings, meshes, np.random.default_rng(0))
    (own, size, rest), (turn, other, left), (true, truth_size, off) = (
        turn_between(before[0].astype(float), after[0].astype(float))
        for before, after in zip(meshes, varied, strict=True)
    )
    assert max(rest, left, off) < 1e-5
    np.testing.assert_allclose(true, turn, atol=1e-5)
    assert truth_size == pytest.approx(size, rel=1e-5)
    assert abs(size - other) > 1e-2 and np.abs(own - turn).max() > 1e-2
    assert all(1 / 1.5 <= factor <= 1.5 for factor in (size, other))


def test_headings_are_about_y_and_as_far_as_they_may_be(store):
    meshes = meshes_of(store)
    for seed in range(20):
        varied = varied_triples(Augmentation(heading=30), meshes, np.random.default_rng(seed))
        turn, _, _ = turn_between(meshes[1][0].astype(float), varied[1][0].astype(float))
        assert turn[1, 1] == pytest.approx(1, abs=1e-5)
        assert turn[0, 0] >= np.cos(np.radians(30)) - 1e-5


def test_noise_is_of_both_inputs_and_not_of_the_truth(store):
    meshes = meshes_of(store)
    varied = varied_triples(Augmentation(noise=0.01), meshes, np.random.default_rng(0))
    spread = [np.std(after - before) for before, after in zip(meshes, varied, strict=True)]
    assert spread[:2] == pytest.approx([0.01, 0.01], rel=0.2) and spread[2] == 0


def test_an_order_is_denser_on_one_side_and_lacks_a_hole(store):
    body = meshes_of(store)[0][0]
    many = 400
    thin = [
        varied_order(Augmentation(density=8), body, store.faces, np.random.default_rng(k))
        for k in range(many)
    ]
    assert all(np.array_equal(np.sort(order), np.arange(len(body))) for order in thin)
    # Of directions alike in all senses every vertex is as often among the first as any other.
    first = np.bincount(np.concatenate([order[: len(body) // 4] for order in thin]), minlength=len(body))
    assert first.min() > many / 10
    spread = [
        np.linalg.norm(body[order[: len(body) // 4]].mean(axis=0) - body.mean(axis=0)) for order in thin
    ]
    plain = [
        np.linalg.norm(
            body[np.random.default_rng(k).permutation(len(body))[: len(body) // 4]].mean(0) - body.mean(0)
        )
        for k in range(many)
    ]
    assert np.mean(spread) > 2 * np.mean(plain)
    order = varied_order(Augmentation(holes=1), body, store.faces, np.random.default_rng(1))
    centre = body[order[-1]]
    held = np.linalg.norm(body[order[: len(body) // 2]] - centre, axis=1).min()
    assert held > 0.5 * lengths(body, unique_edges(store.faces)).mean()


def test_only_training_batches_are_varied_and_a_batch_follows_from_its_number(store):
    settings = Augmentation(heading=180, noise=0.01, density=4, holes=0.5)
    triples = Triples(store, ROWS, unit_area=True, augment=settings)
    plain = Triples(store, ROWS, unit_area=True)
    first, again, other = (
        next(iter(training_batches(rows, 1, 0, 3, 4))) for rows in (triples, triples, plain)
    )
    for name in ("identity", "pose", "truth", "identity_order", "pose_order"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))
    middle = (first.pose.amin(1) + first.pose.amax(1)) / 2
    torch.testing.assert_close(middle, torch.zeros(1, 3), atol=1e-6, rtol=0)
