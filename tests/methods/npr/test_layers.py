"""The layers of NPR against loops over points, in float64."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from repose.methods.build import count_parameters
from repose.methods.layers.nearest import nearest
from repose.methods.npr.applier import PoseApplier
from repose.methods.npr.extractor import PoseExtractor
from repose.methods.npr.layers import Downsampling, Elementwise, Norm, PointTransformer
from repose.methods.npr.neighbours import Neighbours, farthest_points
from repose.methods.npr.network import Npr

B, N, C = 2, 12, 6


def double(module):
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return module.double()


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def cloud(batch=B, count=N, width=C):
    return torch.randn(batch, count, width).double(), torch.randn(batch, count, 3).double()


def norm(x, module):  # (N, C)
    return (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt() * module.weight + module.bias


def look(score, query, keys, values, places):
    """Vector attention of one point to its neighbours."""
    a = torch.stack([score(query - k + d) for k, d in zip(keys, places, strict=True)]).softmax(0)
    return sum(w * (v + d) for w, v, d in zip(a, values, places, strict=True))


def test_the_norm_is_batch_norm_of_one_cloud_at_a_time():
    x, _ = cloud()
    ours = double(Norm(C))
    theirs = torch.nn.BatchNorm1d(C).double()
    theirs.load_state_dict(ours.state_dict(), strict=False)
    assert torch.allclose(ours(x), torch.cat([theirs(y[None].transpose(1, 2)).transpose(1, 2) for y in x]))


@pytest.mark.parametrize("full", [False, True])
def test_point_transformer(full):
    x, points = cloud()
    layer = double(PointTransformer(C))
    near = nearest(points, points, N if full else 4)
    out = layer(x, points, None if full else near)
    for b in range(B):
        rows = []
        for i in range(N):
            js = near[b, i].tolist()
            places = [layer.position(points[b, i] - points[b, j]) for j in js]
            keys, values = [layer.key(x[b, j]) for j in js], [layer.value(x[b, j]) for j in js]
            rows.append(x[b, i] + look(layer.score, layer.query(x[b, i]), keys, values, places))
        assert torch.allclose(out[b], norm(torch.stack(rows), layer.norm))


def test_elementwise():
    x, _ = cloud()
    layer = double(Elementwise(C))
    first, n1, _, second, n2, _ = layer.layers
    for y, out in zip(x, layer(x), strict=True):
        inner = norm(second(norm(first(y), n1).relu()), n2).relu()
        assert torch.allclose(out, norm(y + inner, layer.norm))


def test_downsampling():
    x, points = cloud()
    layer = double(Downsampling(C))
    centres = farthest_points(points, 5)
    near = nearest(points.gather(1, centres[..., None].expand(-1, -1, 3)), points, 4)
    out = layer(x, points, centres, near)
    first, n1, _, second = layer.mix
    for b in range(B):
        own = x[b, centres[b]]

        def looked(part, queries, b=b):
            rows = []
            for c, js, query in zip(centres[b].tolist(), near[b].tolist(), queries, strict=True):
                places = [layer.position(points[b, j] - points[b, c]) for j in js]
                keys, values = [part.key(x[b, j]) for j in js], [part.value(x[b, j]) for j in js]
                rows.append(look(part.score, part.query(query), keys, values, places))
            return torch.stack(rows)

        r1 = looked(layer.first, own)
        r1 = norm(r1 + second(norm(first(r1), n1).relu()), layer.norms[0])
        r2 = looked(layer.second, r1)
        assert torch.allclose(out[b], norm(norm(r1 + r2, layer.norms[1]) + own, layer.norms[2]))


def test_applier():
    applier = double(PoseApplier(C, 8, 10))
    features, points = cloud(B, 9)
    queries = torch.randn(1, 5, 3).double()
    code = PoseExtractor(C, 4, 9, 9).double().code(points, features)
    out = applier(code, queries)
    for b in range(B):
        for f in range(5):
            distance = (points[b] - queries[0, f]).norm(dim=-1)
            js = distance.argsort()[:7].tolist()
            places = [applier.position(queries[0, f] - points[b, j]) for j in js]
            keys = [applier.key(features[b, j]) for j in js] + [applier.whole_key(code.whole[b])]
            values = [applier.value(features[b, j]) for j in js] + [applier.whole_value(code.whole[b])]
            nowhere = torch.zeros(8).double()
            found = look(applier.score, applier.query(code.whole[b]), keys, values, [*places, nowhere])
            x = applier.enter(found)
            for condition, block in zip(applier.conditions, applier.blocks, strict=True):
                x = x + condition(found)
                x = x + block.second(block.first(x.relu()).relu())
            assert torch.allclose(out[b, f], applier.leave(x.relu()).reshape(3, 3))


def test_keypoints_that_all_share_are_those_that_each_has():
    applier = double(PoseApplier(C, 8, 10))
    features, points = cloud(B, 9)
    queries = torch.randn(1, 5, 3).double()
    extractor = PoseExtractor(C, 4, 9, 9).double()
    shared = applier(extractor.code(points[:1], features), queries)
    each = applier(extractor.code(points[:1].expand(B, -1, -1), features), queries.expand(B, -1, -1))
    assert torch.allclose(shared, each)


def test_farthest_points_and_neighbours_are_those_of_a_search():
    _, points = cloud(3, 40)
    found = farthest_points(points, 20)
    for cloud_, row in zip(points.numpy(), found.tolist(), strict=True):
        chosen = [0]
        for _ in range(19):
            distance = np.min([((cloud_ - cloud_[c]) ** 2).sum(1) for c in chosen], axis=0)
            chosen.append(int(distance.argmax()))
        assert row == chosen
    assert torch.equal(farthest_points(points, 7), found[:, :7])
    kept = points.gather(1, found[..., None].expand(-1, -1, 3))
    assert torch.equal(farthest_points(kept, 7), torch.arange(7).expand(3, -1))
    distances = (points[:, :, None] - kept[:, None]).norm(dim=-1)
    assert torch.equal(nearest(points, kept, 4), distances.argsort(dim=-1)[..., :4])
    assert nearest(points[:, :3], kept[:, :2], 5).shape == (3, 3, 2)


def test_parameters_are_the_published_ones():
    network = Npr()
    assert count_parameters(network.extractor) == 3_795_592
    assert count_parameters(network.applier) == 698_049
    assert sum(isinstance(m, Norm) for m in network.modules()) == 35


def test_the_order_of_faces_does_not_matter():
    extractor = double(PoseExtractor(8, 6, 10, 5))
    points, field = torch.randn(1, 30, 3).double(), torch.randn(1, 30, 3, 3).double()
    order = torch.cat(
        [torch.zeros(1, dtype=torch.long), 1 + torch.randperm(29)]
    )  # the search starts at face 0
    code = extractor(field, points, extractor.neighbours(points))
    other = extractor(field[:, order], points[:, order], extractor.neighbours(points[:, order]))
    assert torch.equal(code.points, other.points)
    assert F.mse_loss(code.features, other.features) < 1e-20


def test_few_faces_are_all_kept():
    points = torch.randn(1, 9, 3)
    near = Neighbours.of(points, 20, 12)
    assert near.centres.shape == (1, 9)
    assert near.keypoints_in_centres.shape == (1, 9, 9)
