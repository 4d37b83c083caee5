"""Released checkpoints of the intrinsic flow: netF alone, or with netG and netPW."""

import pytest
import torch

from repose.weights.flow_names import settings
from repose.weights.model import open_model
from repose.weights.stage import run
from tests.weights.imports import difference, refused, rewritten
from tests.weights.released_flow import DualUnet, FlowUnet, FlowUnetV2, Unet, trained_flow, transferred

H, W = 32, 16


def saved(folder, **networks):
    """A file for each network, in the format of PyTorch 0.4, whose batch norms had no counters."""
    files = []
    for name, network in networks.items():
        state = {k: v for k, v in network.state_dict().items() if not k.endswith("_tracked")}
        torch.save(state, folder / f"best_net_{name}.pth", _use_new_zipfile_serialization=False)
        files.append(folder / f"best_net_{name}.pth")
    return files


def inputs():
    """Images (2, 3, H, W), and joints of both poses (2, 18, 3)."""
    generator = torch.Generator().manual_seed(6)
    places = torch.rand(2, 2, 18, 2, generator=generator) * torch.tensor([W, H])
    joints = torch.cat([places, (torch.rand(2, 2, 18, 1, generator=generator) > 0.2).float()], -1).double()
    return torch.rand(2, 3, H, W, generator=generator).double() * 2 - 1, *joints


def imported(files, tmp_path):
    run("intrinsic-flow", files, tmp_path / "m.safetensors")
    return open_model(tmp_path / "m.safetensors")


@pytest.mark.parametrize("kind", [FlowUnet, FlowUnetV2])
def test_the_flow_is_the_released_one(tmp_path, kind):
    released = trained_flow(kind())
    model = imported(saved(tmp_path, netF=released), tmp_path)
    assert model.settings["architecture"] == "flow-regression"
    image, source, target = inputs()
    network, released = model.network.double(), released.double()
    maps = (network.poses(joints, (H, W)) for joints in (source, target))
    flow, scores = released(torch.cat(list(maps), 1))
    out = network(image, source, target)
    assert difference(out.flow, flow) < 1e-10 and 1 < flow.abs().max() < H
    assert (
        torch.equal(out.visibility, scores.argmax(1, keepdim=True).double())
        and out.visibility.unique().numel() > 1
    )


@pytest.mark.parametrize(
    ("gate", "kind", "blends"),
    [
        ("residual", FlowUnetV2, True),
        ("residual", FlowUnet, False),
        ("residual-without-visibility", FlowUnet, False),
        ("soft-gate", FlowUnet, False),
        ("none", FlowUnet, False),
    ],
)
def test_the_image_is_the_released_one(tmp_path, gate, kind, blends):
    nets = {"netF": trained_flow(kind()), "netG": trained_flow(DualUnet(gate, 3 if gate == "none" else 2), 1)}
    if blends:  # whose names are those of the second netF, too
        nets["netPW"] = trained_flow(Unet(9, 1, blends=True), 2)
    model = imported(saved(tmp_path, **nets)[::-1], tmp_path)
    assert model.settings["gate"] == gate and model.settings["pixel_warp"] == blends
    assert model.settings["warped_levels"] == nets["netG"].warped_levels
    assert apart(model, nets) < 1e-10


@pytest.mark.parametrize("generator", [lambda: Unet(21, 3), DualUnet])
def test_a_generator_without_flow_comes_alone(tmp_path, generator):
    nets = {"netG": trained_flow(generator(), 1)}
    for key, value in nets["netG"].named_parameters():
        if "_vis_" in key and key.endswith("bias"):
            value.data.zero_()  # it has gates, and training never reached them
    files = saved(tmp_path, netF=trained_flow(FlowUnet()), **nets)
    model = imported(files[1:], tmp_path)
    assert model.settings["warped_levels"] == 0 and model.settings["flow_network"] is None
    assert apart(model, nets) < 1e-10
    message = refused(files, tmp_path, "intrinsic-flow")
    assert "best_net_netF.pth: netF.conv_downsample.0.weight is not known" in message


def apart(model, nets):
    """Largest difference of the images, as a share of the largest value."""
    image, source, target = inputs()
    network = model.network.double()
    maps = (network.poses(joints, (H, W)) for joints in (source, target))
    released = [nets[name].double() if name in nets else None for name in ("netF", "netG", "netPW")]
    with torch.no_grad():
        theirs, ours = transferred(*released, image, *maps), network(image, source, target).image
    assert (theirs.abs() < 0.99).double().mean() > 0.5
    return difference(ours, theirs)


def test_what_the_shapes_do_not_say_is_as_released():
    """Images of 128 × 64 had fewer levels, and joints of half the radius."""
    fashion = settings({"netG.pre_conv.0.weight": torch.zeros(32, 21, 1, 1)})
    assert (fashion["levels"], fashion["radius"], fashion["joints"]) == (7, 8.0, "binary")
    market = settings({f"netG.dec_{level}_upsample.1.weight": torch.zeros(4, 8, 3, 3) for level in range(5)})
    assert (market["levels"], market["warped_levels"], market["radius"]) == (5, 4, 4.0)
    assert settings({})["flow_network"] == {"network": "unet", "width": 32, "widest": 512, "levels": 5}
    assert settings({})["radius"] == 8.0


@pytest.fixture
def files(tmp_path):
    """netF and netG of one system."""
    return saved(tmp_path, netF=trained_flow(FlowUnet()), netG=trained_flow(DualUnet(), 1))


def test_the_first_misfit_is_named_and_all_are_counted(files, tmp_path):
    def change(content):
        content["dec_fuse.1.bias"] = torch.zeros(3)
        content["dec_aux_output_0.1.bias"] = torch.zeros(1)

    rewritten(files[1], change)
    message = refused(files, tmp_path, "intrinsic-flow")
    assert "best_net_netG.pth: netG.dec_fuse.1.bias has shape (3,), expected (10,); 2 of " in message


def test_a_network_that_is_needed_is_missed(files, tmp_path):
    message = refused(files[1:], tmp_path, "intrinsic-flow")
    assert "netF.conv_downsample.0.weight is missing" in message and "*_net_netF.pth" in message
    blend = saved(tmp_path, netPW=trained_flow(Unet(9, 1, blends=True)))
    assert "netG." in refused([files[0], *blend], tmp_path, "intrinsic-flow")


def test_a_discriminator_is_not_taken(files, tmp_path):
    torch.save({"model.0.weight": torch.zeros(64, 24, 4, 4)}, tmp_path / "best_net_netD.pth")
    message = refused([*files, tmp_path / "best_net_netD.pth"], tmp_path, "intrinsic-flow")
    assert "best_net_netD.pth: model.0.weight is not known" in message


def test_encoders_that_do_not_share_what_the_release_shares_are_refused(files, tmp_path):
    rewritten(files[1], lambda c: c.update({"enca_1_downsample.2.bias": c["enca_1_downsample.2.bias"] + 1}))
    message = refused(files, tmp_path, "intrinsic-flow")
    assert "netG.enca_1_downsample.2.bias is not netG.encp_1_downsample.2.bias" in message
