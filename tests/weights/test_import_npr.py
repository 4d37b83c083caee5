"""Released checkpoints of Neural Pose Representation."""

import numpy as np
import pytest
import torch
import trimesh

from repose.mesh.poisson import jacobians
from repose.weights.model import open_model
from repose.weights.stage import run
from tests.weights.imports import difference, refused, rewritten
from tests.weights.released import ReleasedNPT
from tests.weights.released_npr import ReleasedNpr, trained_npr


@pytest.fixture
def npr(tmp_path):
    """A checkpoint as training writes it, and the network behind it."""
    network, file = trained_npr(), tmp_path / "ckpt_epoch-000299.pth"
    optimizer = torch.optim.Adam(network.parameters(), lr=0.0)
    sum(p.sum() for p in network.parameters()).backward()
    optimizer.step()  # so that it has a state
    torch.save({"model": network.state_dict(), "optim": optimizer.state_dict(), "epoch": 299}, file)
    return network, file


def body(subdivisions, sides):
    """A mesh at rest: vertices (V, 3) metres and faces."""
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions)
    return torch.tensor(np.asarray(sphere.vertices) * sides), torch.tensor(np.asarray(sphere.faces))


def test_npr_reproduces_the_released_forward_pass(npr, tmp_path):
    released, file = npr
    run("npr", [file], tmp_path / "npr.safetensors")
    model = open_model(tmp_path / "npr.safetensors")
    network, released = model.network.double(), released.double()
    (rest, faces), (target, target_faces) = body(3, [0.3, 0.9, 0.2]), body(2, [0.4, 0.8, 0.3])
    posed = rest + 0.3 * rest[:, [1, 2, 0]] ** 2
    source, other = (network.templates.of(v[None], f)[0] for v, f in ((rest, faces), (target, target_faces)))
    points, queries = source.posed_centroids(posed[None]), other.centroids.double()[None]
    field = jacobians(posed[None], faces, source.poisson.inverses.double())
    code = network.extractor(field, points, network.extractor.neighbours(points))
    keypoints, features, whole = released.encoder(points[0], field[0].flatten(1))
    assert torch.equal(code.points[0], keypoints)
    assert difference(code.features[0], features) < 1e-10 and difference(code.whole[0], whole) < 1e-10
    found = released(points[0], field[0], queries[0])
    assert difference(network.applier(code, queries)[0], found) < 1e-10
    assert model.settings == {
        "architecture": "npr", "anchors": "posed", "middle": 500, "keypoints": 100,
        "width": 10, "fine_width": 6, "attention": 8, "hidden": 7,
    }  # fmt: skip


def test_the_state_dict_alone_is_as_good(npr, tmp_path):
    _, file = npr
    run("npr", [file], tmp_path / "whole.safetensors")
    torch.save(torch.load(file, weights_only=True)["model"], file)
    run("npr", [file], tmp_path / "alone.safetensors")
    assert (tmp_path / "whole.safetensors").read_bytes() == (tmp_path / "alone.safetensors").read_bytes()


def test_the_first_misfit_is_named_and_all_are_counted(npr, tmp_path):
    _, file = npr
    total = len([k for k in ReleasedNpr().state_dict() if not k.endswith(("_mean", "_var", "_tracked"))])

    def change(content):
        content["model"]["encoder.elementwise.1.conv2.weight"] = torch.zeros(10, 10)
        del content["model"]["decoder.fc_c.4.bias"]
        content["model"]["decoder.fc_c.5.bias"] = torch.zeros(7)

    rewritten(file, change)
    message = refused([file], tmp_path, "npr")
    assert "ckpt_epoch-000299.pth: encoder.elementwise.1.conv2.weight has shape (10, 10), " in message
    assert f"expected (10, 10, 1); 3 of {total + 1} tensors do not fit" in message


def test_what_is_no_checkpoint_of_npr_is_refused(npr, tmp_path):
    _, file = npr
    rewritten(file, lambda content: content.update(model=7))
    assert "holds a int, not tensors by name" in refused([file], tmp_path, "npr")
    rewritten(file, lambda content: content.pop("model"))
    assert "not a tensor" in refused([file], tmp_path, "npr")
    torch.save({"model": ReleasedNPT().state_dict()}, file)
    assert "do not fit" in refused([file], tmp_path, "npr")
