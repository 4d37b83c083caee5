"""The networks of the published judges: names and shapes as torchvision 0.28 has them, and their maths."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from repose.methods.build import count_parameters
from repose.score.official_networks.inception_v3 import InceptionV3, Mixed
from repose.score.official_networks.resnet50 import Bottleneck, ResNet50


@pytest.mark.parametrize(
    ("network", "outputs", "parameters", "tensors", "some"),
    [
        (InceptionV3, 23, 21_832_695, 566, {
            "Conv2d_4a_3x3.conv.weight": (192, 80, 3, 3), "Mixed_5d.branch_pool.bn.running_var": (64,),
            "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
            "Mixed_6c.branch7x7dbl_4.conv.weight": (160, 160, 7, 1),
            "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
            "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1), "fc.weight": (23, 2048),
        }),
        (ResNet50, 347, 24_219_035, 320, {
            "conv1.weight": (64, 3, 7, 7), "layer1.0.downsample.0.weight": (256, 64, 1, 1),
            "layer3.5.bn3.running_mean": (1024,), "layer4.0.conv2.weight": (512, 512, 3, 3),
            "fc.weight": (347, 2048),
        }),
    ],
)  # fmt: skip
def test_names_and_shapes(network, outputs, parameters, tensors, some):
    with torch.device("meta"):
        made = network(outputs)
    state = made.state_dict()
    assert (count_parameters(made), len(state)) == (parameters, tensors)
    assert {name: tuple(state[name].shape) for name in some} == some


def randomise(network):
    torch.manual_seed(0)
    for name, value in network.double().eval().state_dict().items():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5) if "var" in name else value.normal_()
    return {name: value.numpy() for name, value in network.state_dict().items()}


def plain(x, weight, stride, pad):
    """Convolution of (C, H, W), pixel by pixel."""
    x = np.pad(x, ((0, 0), (pad[0], pad[0]), (pad[1], pad[1])))
    _, _, h, w = weight.shape
    rows, columns = range(0, x.shape[1] - h + 1, stride), range(0, x.shape[2] - w + 1, stride)
    return np.stack(
        [[[(x[:, i : i + h, j : j + w] * k).sum() for j in columns] for i in rows] for k in weight]
    )


def normal(x, state, name, eps):
    mean, var, weight, bias = (
        state[f"{name}.{k}"][:, None, None] for k in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(var + eps) * weight + bias


def test_branches_are_plain_convolutions_side_by_side():
    x = np.random.default_rng(0).normal(size=(2, 7, 7))
    halving = Mixed(2, {"branch3x3": [(3, (3, 3))]}, halves=True)
    state = randomise(halving)
    expected = normal(plain(x, state["branch3x3.conv.weight"], 2, (0, 0)), state, "branch3x3.bn", 1e-3)
    largest = [[x[:, i : i + 3, j : j + 3].max((1, 2)) for j in (0, 2, 4)] for i in (0, 2, 4)]
    expected = np.concatenate([expected.clip(0), np.moveaxis(largest, -1, 0)])
    np.testing.assert_allclose(halving(torch.from_numpy(x)[None])[0].detach(), expected, atol=1e-12)

    forked = Mixed(2, {"b": [(2, (1, 1)), (3, (1, 3), (3, 1))], "branch_pool": [(1, (1, 1))]})
    state = randomise(forked)

    def layer(x, name, pad):
        return normal(plain(x, state[f"{name}.conv.weight"], 1, pad), state, f"{name}.bn", 1e-3).clip(0)

    first = layer(x, "b_1", (0, 0))
    pooled = np.concatenate([plain(x[k : k + 1], np.full((1, 1, 3, 3), 1 / 9), 1, (1, 1)) for k in range(2)])
    parts = [layer(first, "b_2a", (0, 1)), layer(first, "b_2b", (1, 0)), layer(pooled, "branch_pool", (0, 0))]
    np.testing.assert_allclose(
        forked(torch.from_numpy(x)[None])[0].detach(), np.concatenate(parts), atol=1e-12
    )


def test_a_bottleneck_has_its_stride_in_the_middle():
    x = np.random.default_rng(0).normal(size=(3, 6, 6))
    block = Bottleneck(3, 2, 2)
    state = randomise(block)
    y = normal(plain(x, state["conv1.weight"], 1, (0, 0)), state, "bn1", 1e-5).clip(0)
    y = normal(plain(y, state["conv2.weight"], 2, (1, 1)), state, "bn2", 1e-5).clip(0)
    y = normal(plain(y, state["conv3.weight"], 1, (0, 0)), state, "bn3", 1e-5)
    short = normal(plain(x, state["downsample.0.weight"], 2, (0, 0)), state, "downsample.1", 1e-5)
    np.testing.assert_allclose(block(torch.from_numpy(x)[None])[0].detach(), (y + short).clip(0), atol=1e-12)


def test_images_are_normalised_twice():
    network = InceptionV3(23).eval()
    seen = []
    network.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.inference_mode():
        logits = network(torch.full((1, 3, 299, 299), 0.5))
    assert logits.shape == (1, 23)
    first = torch.tensor([0.458 * 0.5 - 0.03, 0.448 * 0.5 - 0.088, 0.45 * 0.5 - 0.188])
    assert torch.allclose(seen[0], first[:, None, None].expand(1, 3, 299, 299))
    with torch.inference_mode():
        feature = ResNet50(20).eval()(F.pad(torch.ones(1, 3, 100, 100), (62, 62, 62, 62)))
    assert feature.shape == (1, 20)
