import torch

from repose.bench import plain_corenet as reference
from repose.methods.losses import edge_loss, reconstruction, weighted_edges

TETRAHEDRON = torch.tensor([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
OPEN_STRIP = torch.tensor([[0, 1, 2], [2, 1, 3]])


def test_edge_loss_equals_the_loop_over_faces():
    torch.manual_seed(0)
    for faces in (TETRAHEDRON, OPEN_STRIP):
        predicted, identity = torch.randn(2, 5, 4, 3, dtype=torch.float64)
        edges, weights = weighted_edges(faces.numpy())
        ours = edge_loss(predicted, identity, edges, weights.double())
        assert torch.allclose(ours, reference.edge_loss(predicted, identity, faces), rtol=1e-6)


def test_closed_mesh_is_three_times_the_mean_over_edges():
    edges, weights = weighted_edges(TETRAHEDRON.numpy())
    assert len(edges) == 6
    assert torch.allclose(weights, torch.full((6,), 3 / 6))


def test_edges_of_length_zero_give_no_nan():
    identity = torch.randn(1, 4, 3)
    identity[0, 1] = identity[0, 0]
    predicted = identity.clone().requires_grad_()
    edges, weights = weighted_edges(TETRAHEDRON.numpy())
    loss = edge_loss(predicted, identity, edges, weights)
    loss.backward()
    assert loss == 0 and predicted.grad.isfinite().all()


def test_a_predicted_edge_of_length_zero_counts_and_gives_no_gradient():
    identity = torch.tensor([[[0.0, 0, 0], [1, 0, 0]]])
    predicted = torch.zeros(1, 2, 3, requires_grad=True)
    loss = edge_loss(predicted, identity, torch.tensor([[0, 1]]), torch.ones(1))
    loss.backward()
    assert loss == 1 and torch.equal(predicted.grad, torch.zeros(1, 2, 3))


def test_reconstruction_is_the_mean_over_coordinates():
    predicted, truth = torch.randn(2, 3, 4, 3)
    expected = sum((p - t).norm() ** 2 / (3 * 4) for p, t in zip(predicted, truth, strict=True)) / 3
    assert torch.allclose(reconstruction(predicted, truth), expected)
