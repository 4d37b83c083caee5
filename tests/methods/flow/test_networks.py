"""Networks of the intrinsic flow: sizes as published, what goes where, and plain maths beside ours."""

import numpy as np
import pytest
import torch
from torch import nn

from repose.methods.build import count_parameters, create
from repose.methods.flow.gates import GATES, split_by_visibility
from repose.methods.flow.generator import Discriminator, DualUNetGenerator, PixelWarp, UNetGenerator
from repose.methods.flow.layers import ResBlock, Up
from repose.methods.flow.poses import PoseMaps
from repose.methods.flow.regression import UNIT, UNet, UNetV2
from repose.methods.flow.warp import coarse_flow, coarse_visibility, warp

SMALL = {
    "generator": "dual-unet", "width": 4, "widest": 8, "levels": 2, "warped_levels": 2, "gate": "residual",
    "pixel_warp": True, "flow_network": {"network": "unet_v2", "width": 4, "widest": 8, "levels": 2},
    "joints": "binary", "radius": 2.0,
}  # fmt: skip


def parameters(kind, **settings):
    with torch.device("meta"):
        return count_parameters(kind(**settings))


def test_flow_nets_have_the_published_sizes():
    assert parameters(UNet) == 29_338_189 and parameters(UNet, levels=4) == 16_744_011
    assert parameters(UNetV2) == 6_588_685 and parameters(UNetV2, levels=4) == 4_929_547


@pytest.mark.parametrize(
    ("gate", "fashion", "market"),
    [
        ("none", 9_993_795, 6_023_747),
        ("hard-gate", 9_993_795, 6_023_747),
        ("soft-gate", 10_183_107, 6_147_267),
        ("residual", 11_881_539, 7_255_107),
        ("residual-without-visibility", 10_843_459, 6_577_987),
    ],
)
def test_generators_have_the_published_sizes(gate, fashion, market):
    assert parameters(DualUNetGenerator, gate=gate, faithful=True) == fashion
    assert parameters(DualUNetGenerator, gate=gate, levels=5, warped_levels=4, faithful=True) == market
    assert parameters(DualUNetGenerator, gate=gate) == fashion + 775_744


def test_the_other_networks_have_the_published_sizes():
    assert (parameters(UNetGenerator), parameters(UNetGenerator, levels=5)) == (8_360_451, 5_046_787)
    assert (parameters(PixelWarp), parameters(PixelWarp, levels=5)) == (8_358_017, 5_044_353)
    assert parameters(Discriminator) == 2_787_137


def test_the_whole_system_has_49_577_745_parameters():
    settings = {
        **SMALL, "width": 32, "widest": 128, "levels": 7, "warped_levels": 5, "faithful": True,
        "flow_network": {"network": "unet", "width": 32, "widest": None, "levels": 5},
    }  # fmt: skip
    with torch.device("meta"):
        network = create("flow-transfer", **settings)
    assert count_parameters(network) == 49_577_745
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == 8_358_017


@pytest.mark.parametrize("kind", [UNet, UNetV2])
def test_a_pyramid_halves_and_its_finest_level_is_the_flow(kind):
    torch.manual_seed(0)
    found = kind(width=4, levels=3, widest=16).eval()(torch.rand(2, 18, 32, 16), torch.rand(2, 18, 32, 16))
    assert [tuple(level.shape) for level in found.pyramid] == [(2, 2, 16, 8), (2, 2, 8, 4), (2, 2, 4, 2)]
    assert found.flow.shape == (2, 2, 32, 16) and found.visibility.shape == (2, 3, 32, 16)
    assert torch.allclose(found.flow.mean(), UNIT * found.pyramid[0].mean(), rtol=0.2, atol=0.5)
    inner = found.flow[:, :, 1:-1, 1:-1]
    finest = UNIT * found.pyramid[0]
    plain = (
        9 * finest[:, :, 0, 0] + 3 * finest[:, :, 0, 1] + 3 * finest[:, :, 1, 0] + finest[:, :, 1, 1]
    ) / 16
    assert torch.allclose(inner[:, :, 0, 0], plain, atol=1e-4)


def test_warping_is_a_bilinear_sample_and_zero_outside():
    rng = np.random.default_rng(0)
    image, flow = rng.random((1, 2, 5, 7)), rng.uniform(-3, 3, (1, 2, 5, 7))
    ours = warp(torch.from_numpy(image), torch.from_numpy(flow))[0].numpy()

    def at(channel, y, x):
        return image[0, channel, y, x] if 0 <= y < 5 and 0 <= x < 7 else 0.0

    for channel, y, x in np.ndindex(2, 5, 7):
        px, py = x + flow[0, 0, y, x], y + flow[0, 1, y, x]
        left, top = int(np.floor(px)), int(np.floor(py))
        plain = sum(
            (1 - abs(px - i)) * (1 - abs(py - j)) * at(channel, j, i)
            for i in (left, left + 1)
            for j in (top, top + 1)
        )
        assert ours[channel, y, x] == pytest.approx(plain, abs=1e-12)


def test_coarse_flow_is_the_mean_in_coarse_pixels_and_visibility_the_lowest_class():
    rng = np.random.default_rng(1)
    flow, seen = rng.random((1, 2, 8, 4)), rng.integers(0, 3, (1, 1, 8, 4)).astype(float)
    mean = coarse_flow(torch.from_numpy(flow), 2)[0].numpy()
    low = coarse_visibility(torch.from_numpy(seen), 2)[0, 0].numpy()
    assert mean == pytest.approx(
        np.stack([flow[0, :, :4].mean((1, 2)), flow[0, :, 4:].mean((1, 2))], 1)[..., None] / 4
    )
    assert low.tolist() == [[seen[0, 0, :4].min()], [seen[0, 0, 4:].min()]]


@pytest.mark.parametrize("side", [0, 5])
def test_a_res_block_adds_what_its_formula_says(side):
    torch.manual_seed(0)
    block = ResBlock(3, side).double().eval()
    for norm in (m for m in block.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        norm.bias.data.normal_()
    x, a = torch.randn(1, 3, 4, 4).double(), torch.randn(1, 5, 4, 4).double()

    def normalised(y, norm):
        shape = (1, -1, 1, 1)
        scale = norm.weight / (norm.running_var + 1e-5).sqrt()
        return (y - norm.running_mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)

    def convolved(y, conv):
        out = torch.zeros(1, conv.out_channels, 4, 4).double()
        reach = conv.kernel_size[0] // 2
        for row, column in np.ndindex(4, 4):
            for dy, dx in np.ndindex(*conv.kernel_size):
                i, j = row + dy - reach, column + dx - reach
                if 0 <= i < 4 and 0 <= j < 4:
                    out[0, :, row, column] += conv.weight[:, :, dy, dx] @ y[0, :, i, j]
        return out

    joined = x
    if side:
        narrow = normalised(convolved(a.clamp(min=0), block.side[0]), block.side[1])
        joined = torch.cat([x, narrow], dim=1)
    plain = x + normalised(convolved(joined.clamp(min=0), block.conv[0]), block.conv[1])
    assert torch.allclose(block(x, a if side else None), plain, atol=1e-12)


def test_up_doubles_the_sides():
    assert Up(8, 3)(torch.rand(2, 8, 4, 5)).shape == (2, 3, 8, 10)


def test_gates_follow_their_formulas():
    torch.manual_seed(0)
    x, seen = torch.randn(1, 2, 4, 4), torch.randint(0, 3, (1, 1, 4, 4)).float()
    evidence = split_by_visibility(x, seen)
    assert torch.equal(evidence[:, :2], torch.where(seen == 0, x, 0 * x))
    assert torch.equal(evidence[:, 2:], torch.where(seen == 1, x, 0 * x))
    assert torch.equal(GATES["none"](2)(x, seen), x)
    assert torch.equal(GATES["hard-gate"](2)(x, seen), torch.where(seen < 2, x, 0 * x))
    soft = GATES["soft-gate"](2)
    plain = torch.einsum("oi,bihw->bohw", soft.share.weight[:, :, 0, 0], evidence.clamp(min=0))
    plain = x / (1 + torch.exp(-plain - soft.share.bias.view(1, -1, 1, 1)))
    assert torch.allclose(soft(x, seen), plain, atol=1e-6)
    residual, blind = GATES["residual"](2).eval(), GATES["residual-without-visibility"](2).eval()
    assert torch.equal(residual(x, seen), residual.block(x, evidence))
    other = 2 - seen
    assert torch.equal(blind(x, seen), blind(x, other)) and not torch.equal(
        residual(x, seen), residual(x, other)
    )


def test_pose_maps_have_a_channel_per_joint_and_none_for_a_missing_one():
    joints = torch.tensor([[[3.0, 1.0, 1.0], [2.0, 2.0, 0.0]]])
    disc = PoseMaps("binary", 1.0)(joints, (4, 6))
    assert disc[0, 0].nonzero().tolist() == [[0, 3], [1, 2], [1, 3], [1, 4], [2, 3]]
    assert not disc[0, 1].any()
    soft = PoseMaps("gaussian", 2.0)(joints, (4, 6))
    assert soft[0, 0, 3, 4] == pytest.approx(np.exp(-(1 + 4) / 4)) and not soft[0, 1].any()


def test_the_blend_is_between_generator_and_warped_source():
    torch.manual_seed(0)
    blend = PixelWarp(4, 8, 2).eval()
    drawn, source = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    flow, seen = torch.randn(1, 2, 8, 8), torch.randint(0, 3, (1, 1, 8, 8)).float()
    image, share = blend(drawn, source, flow, seen)
    warped = torch.where(seen == 2, torch.tensor(-1.0), warp(source, flow))
    assert torch.allclose(image, share * warped + (1 - share) * drawn, atol=1e-6)
    assert share.min() > 0 and share.max() < 1


@pytest.mark.parametrize("faithful", [False, True])
def test_the_flow_of_what_is_found_to_be_background_is_zero_as_released(faithful):
    torch.manual_seed(0)
    network = create("flow-transfer", **SMALL, faithful=faithful).eval()
    image, joints = torch.rand(2, 3, 16, 16) * 2 - 1, torch.rand(2, 2, 18, 3) * 16
    with torch.no_grad():
        drawn = network(image, joints[:, 0], joints[:, 1])
    there = drawn.flow[(drawn.visibility == 2).expand_as(drawn.flow)]
    assert there.numel() and bool((there == 0).all()) == faithful


def drawn_alone_and_in_company(faithful):
    torch.manual_seed(0)
    network = create("flow-transfer", **SMALL, faithful=faithful).train()
    image, joints = torch.rand(3, 3, 16, 16) * 2 - 1, torch.rand(3, 2, 18, 3) * 16
    network(image, joints[:, 0], joints[:, 1])
    network.eval()
    with torch.no_grad():
        together = network(image, joints[:, 0], joints[:, 1]).image[:1]
        return network(image[:1], joints[:1, 0], joints[:1, 1]).image, together


def test_a_prediction_depends_on_its_batch_only_as_released():
    alone, together = drawn_alone_and_in_company(False)
    assert torch.allclose(alone, together, atol=1e-3)
    alone, together = drawn_alone_and_in_company(True)
    assert (alone - together).abs().max() > 1e-2


def test_encoders_share_their_downs_only_as_released():
    for share in (False, True):
        network = DualUNetGenerator(4, 8, 2, 1, faithful=share)
        assert (network.image_encoder.downs is network.pose_encoder.downs) == share


def test_pixels_far_beyond_black_and_white_have_a_way_back_but_as_released():
    x = torch.tensor([-50.0, -50.0, -0.5, 0.5, 50.0, 50.0], requires_grad=True)
    toward = torch.tensor([1.0, -1.0, 1.0, 1.0, 1.0, -1.0])
    for faithful in (False, True):
        bounded = UNetGenerator(4, 8, 2, faithful).bounded
        (gradient,) = torch.autograd.grad(bounded(x), x, toward)
        assert torch.equal(bounded(x), torch.tanh(x))
        assert torch.allclose(gradient[2:4], 1 - torch.tanh(x[2:4]) ** 2)
        # The gradient is subtracted: what is positive darkens, and leads back from white.
        assert (gradient.abs() > 0.1).tolist() == [False, not faithful, True, True, not faithful, False]


def test_warped_features_follow_the_flow_and_unwarped_ones_do_not():
    torch.manual_seed(0)
    image, pose = torch.rand(1, 3, 16, 16), torch.rand(1, 18, 16, 16)
    flow, seen = torch.full((1, 2, 16, 16), 3.0), torch.zeros(1, 1, 16, 16)
    for levels in (0, 2):
        network = DualUNetGenerator(4, 8, 2, levels).eval()
        with torch.no_grad():
            same = torch.equal(network(image, pose, flow, seen), network(image, pose, -flow, seen))
        assert same == (levels == 0)
