import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import MeshError
from repose.mesh.patches import neighbour_lists, patch_table
from repose.mesh.smoothing import averaging, smooth

SPHERE = trimesh.creation.icosphere(subdivisions=2)  # 162 vertices
FACES = np.asarray(SPHERE.faces, np.int32)


def rings_of(faces, seed, size):
    """The definition, word by word."""
    rings, known = [{seed}], {seed}
    while len(known) < size:
        faces_at = [set(f) for f in faces.tolist() if rings[-1] & set(f)]
        rings.append(set().union(*faces_at) - known)
        known |= rings[-1]
    return rings


@given(seed=st.integers(0, 161), size=st.integers(3, 162))
@settings(max_examples=40, deadline=None)
def test_patches_are_whole_rings(seed, size):
    table = patch_table(FACES, 162, size)
    rings = rings_of(FACES, seed, size)
    patch = table.patch(seed).tolist()
    assert patch[0] == seed and len(set(patch)) == len(patch) >= size
    assert set(patch) == set().union(*rings) and set(patch[: table.inner[seed]]) == set().union(*rings[:-1])
    inside = set().union(*rings[:-1])
    wanted = [f for f in FACES.tolist() if inside & set(f)]
    assert table.patch_faces(seed).tolist() == wanted


def test_a_repeated_face_counts_once():
    twice = np.concatenate([FACES, FACES[:50], np.roll(FACES[50:90], 1, axis=1)])
    plain, doubled = patch_table(FACES, 162, 30), patch_table(twice, 162, 30)
    assert np.array_equal(plain.faces, doubled.faces)
    assert all(np.array_equal(plain.patch_faces(s), doubled.patch_faces(s)) for s in (0, 40, 161))


def test_seeds_are_the_best_that_do_not_overlap():
    table = patch_table(FACES, 162, 12)
    scores = np.random.default_rng(0).random(162)
    seeds = table.choose(scores, 5)
    patches = [set(table.patch(s).tolist()) for s in seeds]
    assert len(seeds) == 5 and seeds[0] == scores.argmax() and not set.intersection(*patches[:2])
    assert sum(map(len, patches)) == len(set().union(*patches))
    assert scores[seeds].tolist() == sorted(scores[seeds], reverse=True)


def test_fewer_seeds_where_no_more_fit():
    assert len(patch_table(FACES, 162, 162).choose(np.ones(162), 4)) == 1


def test_padding_is_marked():
    table = patch_table(FACES, 162, 20)
    seeds = [0, 100, 161]
    out = table.padded(seeds)
    for k, seed in enumerate(seeds):
        assert np.array_equal(out.vertices[k][out.is_vertex[k]], table.patch(seed))
        assert np.array_equal(out.vertices[k][out.faces[k][out.is_face[k]]], table.patch_faces(seed))
        assert (out.vertices[k][~out.is_vertex[k]] == seed).all()


@pytest.mark.parametrize(("size", "count"), [(163, 162), (2, 162), (10, 163)])
def test_what_cannot_be_a_table_is_refused(size, count):
    with pytest.raises(MeshError):
        patch_table(FACES, count, size)


def whole(count):
    """Means of neighbours on the whole sphere, with loose vertices beside it."""
    return averaging(torch.from_numpy(FACES).long()[None], count)


def test_smoothing_is_the_plain_formula_and_passes_gradients():
    start, neighbours = neighbour_lists(FACES, 162)
    x = torch.tensor(np.asarray(SPHERE.vertices), dtype=torch.float32)[None].repeat(2, 1, 1)
    x = (x + torch.randn(x.shape, generator=torch.Generator().manual_seed(0)) * 0.1).requires_grad_()
    out = smooth(x[:, None], whole(162), 3)[:, 0]
    plain = x.detach().double().numpy()
    for _ in range(3):
        mean = np.stack([plain[:, neighbours[start[v] : start[v + 1]]].mean(1) for v in range(162)], 1)
        plain = 0.5 * plain + 0.5 * mean
    assert np.abs(out.detach().numpy() - plain).max() < 1e-6
    out[0, 7, 0].backward()
    assert (x.grad[0, :, 0] != 0).sum() == len(set().union(*rings_of(FACES, 7, 162)[:4]))
    assert not x.grad[1].any()


def test_a_loose_vertex_stays_where_it_is():
    x = torch.randn(1, 163, 3)
    assert torch.allclose(smooth(x, whole(163), 5)[:, 162], x[:, 162])


def test_smoothing_stays_inside_each_patch():
    table = patch_table(FACES, 162, 20)
    vertices, _, faces, _ = (torch.from_numpy(x) for x in table.padded([0, 100]))
    mean = averaging(faces, vertices.shape[1])
    assert torch.allclose(mean.sum(2), torch.ones(mean.shape[:2]))
    for k, seed in enumerate((0, 100)):
        near = {(a, b) for f in table.patch_faces(seed).tolist() for a in f for b in f if a != b}
        joined = {tuple(vertices[k, e].tolist()) for e in mean[k].nonzero() if e[0] != e[1]}
        assert joined == near
