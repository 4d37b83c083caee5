"""What a surface is told does not depend on how its mesh is written down, and vertices go to matching places."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from repose.mesh.spectrum import Surface, surface_of
from repose.methods.canonical.diffusion import DiffusionBlock
from repose.methods.canonical.matching import CandidateFrames, Coordinates, best_match, matched
from repose.methods.canonical.network import CanonicalNetwork
from repose.methods.interface import Faces
from repose.methods.shuffle import transfer_shuffled
from tests.worms import worm

VERTICES, FACES = worm(0.4, [0.9, -0.7])
VERTICES = VERTICES.astype(float)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CanonicalNetwork(width=16, blocks=2, vibrations=24, finds_frame=True).eval()


@pytest.fixture
def says(network):
    return network.inference()


def tensors(surface):
    return Surface(*map(torch.from_numpy, surface))


def test_without_pytorch_it_says_the_same(network, says):
    surface = surface_of(VERTICES, FACES, 24)
    with torch.no_grad():
        axes, (places, errors) = network.axes(tensors(surface)), network.place(tensors(surface))
    assert np.abs(says.axes(surface) - axes.numpy()).max() < 1e-5
    ours = says.place(surface)
    assert np.abs(ours[0] - places.numpy()).max() < 1e-5 and np.abs(ours[1] - errors.numpy()).max() < 1e-5
    assert places.std() > 0.01 and errors.std() > 1e-3, "the weights say something"


def test_order_of_vertices_size_and_place_do_not_matter(says):
    order = np.random.default_rng(0).permutation(len(VERTICES))
    back = np.argsort(order)
    one = says.candidate_frames(VERTICES, FACES).candidates[0]
    two = says.candidate_frames(5 * VERTICES[order] + 2, back[FACES]).candidates[0]
    assert np.abs(two.places - one.places[order]).max() < 1e-4
    assert np.abs(two.predicted_error - one.predicted_error[order]).max() < 1e-4


def test_heat_of_a_block_is_the_exponential_of_the_operator():
    """With all eigenvectors, against the dense matrix exponential of the paper's equation 4."""
    torch.manual_seed(0)
    surface = tensors(surface_of(VERTICES, FACES, len(VERTICES)))
    block = DiffusionBlock(3)
    x = torch.randn(len(VERTICES), 3)
    block.perceptron = _Kept()
    block(x, surface)
    y = block.norm(x)
    operator = surface.vectors @ torch.diag(surface.values) @ surface.vectors.T @ torch.diag(surface.masses)
    project = surface.vectors @ surface.vectors.T @ torch.diag(surface.masses)
    for channel, time in enumerate(block.times.exp()):
        expected = (
            torch.linalg.matrix_exp(-time.double() * operator.double()) @ (project @ y[:, channel]).double()
        )
        assert (block.perceptron.seen[:, 3 + channel] - expected).abs().max() < 1e-3


class _Kept(torch.nn.Module):
    def forward(self, x):
        self.seen = x.detach()
        return x[:, :3]


def test_the_found_frame_is_a_rotation(says):
    turn = says.upright(surface_of(VERTICES, FACES, 24), np.eye(3))
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-9) and np.linalg.det(turn) > 0


def test_a_network_without_a_frame_takes_meshes_as_they_stand():
    network = CanonicalNetwork(width=8, blocks=1, vibrations=12)
    (found,) = network.inference().candidate_frames(VERTICES, FACES).candidates
    assert np.array_equal(found.frame, np.eye(3))


def test_matched_vertices_lie_where_their_places_are():
    """The places of the identity are those of a bent body's faces' middles: they come out there."""
    places = np.random.default_rng(0).normal(size=VERTICES.shape)
    triangle = FACES[7]
    errors, none = np.linspace(0, 1, len(places)), np.eye(3)
    one = Coordinates(places[triangle].mean(axis=0)[None], np.array([0.5]), none)
    found, how_far, _ = matched(one, Coordinates(places, errors, none), FACES)
    assert np.abs(found.interpolate(VERTICES, FACES) - VERTICES[triangle].mean(axis=0)).max() < 1e-9
    assert how_far == pytest.approx(0.5 + errors[triangle].mean(), abs=1e-9)
    off = one._replace(places=one.places + 100)  # no place of the pose mesh is near
    assert matched(off, Coordinates(places, errors, none), FACES).predicted_error > 90


def test_equal_bodies_find_themselves(network):
    """Random weights say something else of every vertex, so that a mesh given twice is its own warp."""
    x = torch.from_numpy(VERTICES).float()[None]
    rng = torch.Generator().manual_seed(0)
    orders = [torch.randperm(len(VERTICES), generator=rng) for _ in range(2)]
    faces = torch.from_numpy(FACES).long()
    found = transfer_shuffled(network, x, x, *orders, Faces(faces, faces))
    assert (found.vertices - x).abs().max() < 1e-3
    assert found.warp is not None


def test_a_fine_mesh_is_placed_by_a_coarse_one(says, monkeypatch):
    monkeypatch.setattr("repose.methods.canonical.inference._MOST", len(VERTICES) // 2)
    seen = says.candidate_frames(VERTICES, FACES)
    coarse = seen.fine(seen.candidates[0])
    monkeypatch.undo()
    seen = says.candidate_frames(VERTICES, FACES)
    fine = seen.fine(seen.candidates[0])
    assert coarse.places.shape == fine.places.shape
    spread = np.abs(fine.places - fine.places.mean(axis=0)).mean()
    assert np.abs(coarse.places - fine.places).mean() < spread


def test_turned_bodies_are_turned_back_alike(says):
    """A network of the frame that is right, in place of a learned one."""
    base = surface_of(VERTICES, FACES, 12)
    reference = np.linalg.pinv(base.vertices)

    def right(surface):
        turn = (reference @ surface.vertices).T  # from the body as it stands
        return np.tile(turn[:, 1:].T.reshape(1, 6), (len(surface.vertices), 1))

    says.frame = right
    turn = Rotation.random(random_state=3).as_matrix().astype(np.float32)
    assert np.allclose(says.upright(base.turned(turn), np.eye(3)), turn.T, atol=1e-4)
    (candidate,) = says.candidate_frames(VERTICES, FACES).candidates
    assert np.allclose(candidate.frame, np.eye(3), atol=1e-4), (
        "from all starts, frames that are nearly one are one candidate"
    )


@pytest.mark.parametrize("error, taken", [(0.9, "right"), (0.01, "wrong")])
def test_the_candidate_with_the_least_stretch_and_predicted_error_is_taken(error, taken):
    """A torn body is taken over a whole one only where its predicted error is very much smaller."""
    right = Coordinates(VERTICES, np.ones(len(VERTICES)), np.eye(3))
    rng = np.random.default_rng(0)
    wrong = Coordinates(np.roll(VERTICES, 1, axis=0), np.full(len(VERTICES), error), -np.eye(3))
    noisy = Coordinates(VERTICES + rng.normal(0, 1e-2, VERTICES.shape), np.ones(len(VERTICES)), np.eye(3))
    identity = CandidateFrames(VERTICES, FACES, VERTICES, FACES, [wrong, right])
    match = best_match(identity, CandidateFrames(VERTICES, FACES, VERTICES, FACES, [noisy]))
    off = np.linalg.norm(match.places.interpolate(VERTICES, FACES) - VERTICES, axis=1).mean()
    assert ("right" if off < 0.02 else "wrong") == taken


def test_a_body_that_fits_as_well_the_other_way_round_is_told():
    """Of one whose places are turned with it the other way round fits as well; of another it is torn."""
    rng = np.random.default_rng(0)
    none, half = np.zeros(len(VERTICES)), np.diag([-1.0, 1.0, -1.0])
    right = Coordinates(VERTICES, none, np.eye(3))
    torn = Coordinates(rng.permutation(VERTICES), none, half)
    body = CandidateFrames(VERTICES, FACES, VERTICES, FACES, [right], torn)
    assert best_match(body, body).runner_up_ratio > 2
    match = best_match(body, body._replace(flipped=right._replace(frame=half)))
    assert match.runner_up_ratio == pytest.approx(1)
    assert np.abs(match.places.interpolate(VERTICES, FACES) - VERTICES).max() < 1e-6
    match = best_match(
        body._replace(candidates=[torn]), body._replace(flipped=torn._replace(frame=half @ half))
    )
    assert match.runner_up_ratio == np.inf, "the same way round is no runner-up"
    assert (
        best_match(
            body._replace(candidates=[torn]), body._replace(candidates=[right], flipped=torn)
        ).runner_up_ratio
        < 0.1
    )
    assert best_match(body, body._replace(flipped=None)).runner_up_ratio == np.inf
