"""Templates and transfers of NPR."""

import numpy as np
import pytest
import torch
import trimesh

from repose.errors import ReposeError
from repose.mesh.rests import Rests
from repose.methods.npr.network import Npr
from repose.methods.npr.template import Template, Templates

SMALL = {"width": 8, "fine_width": 6, "middle": 30, "keypoints": 12, "attention": 8, "hidden": 8}
FINE, COARSE = (trimesh.creation.icosphere(subdivisions=n) for n in (2, 1))


def network(anchors):
    torch.manual_seed(0)
    made = Npr(anchors=anchors, **SMALL)
    for parameter in made.applier.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made


def bodies(mesh, count, seed=0):
    noise = torch.randn(count, len(mesh.vertices), 3, generator=torch.Generator().manual_seed(seed))
    return torch.tensor(np.asarray(mesh.vertices)).float() + 0.05 * noise


def rests(identity, pose, count):
    faces = (torch.from_numpy(np.asarray(m.faces)).long() for m in (identity, pose))
    return Rests(bodies(identity, count, 1), bodies(pose, count, 2), *faces)


@pytest.mark.parametrize("anchors", ["posed", "rest"])
def test_bodies_of_a_batch_do_not_touch_each_other(anchors):
    net, posed, all_rests = network(anchors), bodies(FINE, 3), rests(FINE, FINE, 3)
    together = net(posed, posed, all_rests).vertices
    for k in range(3):
        one = Rests(all_rests.identity[k : k + 1], all_rests.pose[k : k + 1], *all_rests[2:])
        alone = net(posed[k : k + 1], posed[k : k + 1], one).vertices
        assert torch.allclose(alone[0], together[k], atol=1e-5)


@pytest.mark.parametrize("anchors", ["posed", "rest"])
def test_topologies_may_differ(anchors):
    out = network(anchors)(bodies(COARSE, 2), bodies(FINE, 2), rests(COARSE, FINE, 2)).vertices
    assert out.shape == (2, len(COARSE.vertices), 3)
    assert out.isfinite().all()
    assert out.mean(1).abs().max() < 1e-5


@pytest.mark.parametrize("anchors", ["posed", "rest"])
def test_size_and_place_of_the_posed_body_do_not_matter(anchors):
    net, posed, r = network(anchors), bodies(FINE, 2), rests(COARSE, FINE, 2)
    out = net(posed, posed, r).vertices
    larger = r._replace(pose=3 * r.pose + 1)
    assert torch.allclose(net(posed, 3 * posed - 2, larger).vertices, out, atol=1e-4)


def test_the_result_has_the_size_of_the_identity():
    net, posed, r = network("rest"), bodies(FINE, 2), rests(COARSE, FINE, 2)
    out = net(posed, posed, r).vertices
    assert torch.allclose(net(posed, posed, r._replace(identity=2 * r.identity)).vertices, 2 * out, atol=1e-4)


def test_true_jacobians_give_the_true_body():
    template = Template(np.asarray(FINE.vertices) * 1.7, np.asarray(FINE.faces))
    posed = 1.7 * bodies(FINE, 2)
    out = template.vertices(template.jacobians(posed))
    assert torch.allclose(out, posed - posed.mean(1, keepdim=True), atol=1e-5)


def test_templates_are_made_once():
    kept, rest, faces = Templates(), bodies(FINE, 2), torch.from_numpy(np.asarray(FINE.faces)).long()
    first = kept.of(rest, faces)
    assert [a is b for a, b in zip(first, kept.of(rest.clone(), faces), strict=True)] == [True, True]
    assert first[0] is not first[1]


def test_the_neighbours_of_a_pose_are_looked_for_once(monkeypatch):
    net, posed = network("posed"), bodies(FINE, 3)
    template = Templates().of(bodies(FINE, 1, 1), torch.from_numpy(np.asarray(FINE.faces)).long())
    expected, plain, searches = network("posed").encode(posed, template * 3), net.extractor.neighbours, []

    def counted(points):
        searches.append(len(points))
        return plain(points)

    monkeypatch.setattr(net.extractor, "neighbours", counted)
    for _ in range(2):
        for x, y in zip(net.encode(posed, template * 3), expected, strict=True):
            assert torch.equal(x, y)
    assert searches == [1, 1, 1]
    net.encode(posed[:1] * 1.01, template)
    assert searches == [1, 1, 1, 1], "another pose"
    monkeypatch.setattr("repose.methods.npr.network._KEPT", 2)
    net.encode(posed[1:2] * 1.01, template)
    net.encode(posed[:1] * 1.01, template)
    net.encode(posed[:1], template)
    assert searches == [1] * 6, "the oldest are dropped"


def test_templates_made_while_predicting_can_be_trained_with():
    net, posed, r = network("rest"), bodies(FINE, 1), rests(FINE, FINE, 1)
    with torch.inference_mode():
        net(posed, posed, r)
    net(posed, posed, r).vertices.square().sum().backward()
    assert net.extractor.enter.weight.grad is not None


def test_a_rest_mesh_that_is_no_numbers_is_refused():
    faces = torch.from_numpy(np.asarray(FINE.faces)).long()
    with pytest.raises(ReposeError, match="no numbers"):
        Templates().of(bodies(FINE, 1) * torch.nan, faces)
