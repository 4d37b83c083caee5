"""Losses beside plain loops, in float64."""

import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from repose.errors import ReposeError
from repose.methods.flow import losses, perceptual


def truths(seed=0, height=8, width=8):
    rng = np.random.default_rng(seed)
    seen = rng.integers(0, 3, (2, 1, height, width)).astype(float)
    flow = rng.normal(0, 30, (2, 2, height, width)) * (seen < 2)
    pyramid = [rng.normal(size=(2, 2, height >> k, width >> k)) for k in (1, 2)]
    return flow, seen, pyramid


def tensors(*arrays):
    return [torch.from_numpy(a) for a in arrays]


@pytest.mark.parametrize("error", ["l2", "l1"])
@pytest.mark.parametrize("average_zeros", [False, True])
def test_the_flow_loss_is_a_weighted_mean_over_the_body(error, average_zeros):
    flow, seen, pyramid = truths()
    weights = [0.7, 0.2]
    plain = 0.0
    for weight, found in zip(weights, pyramid, strict=True):
        square = 8 // found.shape[2]
        for b in range(2):
            sizes = []
            for y, x in np.ndindex(*found.shape[2:]):
                window = np.s_[y * square : (y + 1) * square, x * square : (x + 1) * square]
                body = seen[b, 0][window] < 2
                if not body.any():
                    continue
                total = (flow[b][:, *window] * body).sum(axis=(1, 2)) / 20
                wrong = found[b, :, y, x] - total / (square**2 if average_zeros else body.sum())
                sizes.append(np.sqrt((wrong**2).sum()) if error == "l2" else np.abs(wrong).mean())
            plain += weight * np.mean(sizes) / 2
    ours = losses.flow_loss(tensors(*pyramid), *tensors(flow, seen), weights, error, average_zeros)
    assert float(ours) == pytest.approx(plain, rel=1e-9)


def test_released_weights_are_heaviest_at_the_finest_level():
    assert losses.pyramid_weights(None, 3) == pytest.approx([0.32, 0.16, 0.08])
    assert losses.pyramid_weights([1, 2], 2) == [1, 2]
    with pytest.raises(ValueError, match="2 pyramid weights for 5 levels"):
        losses.pyramid_weights([1, 2], 5)


def test_only_visible_pixels_that_are_led_to_another_part_count():
    parts = torch.zeros(1, 4, 4, dtype=torch.int64)
    parts[0, :, :2], parts[0, :, 2:] = 1, 2
    truth, seen = torch.zeros(1, 2, 4, 4).double(), torch.zeros(1, 1, 4, 4).double()
    flow = truth.clone()
    flow[0, 0, 1, 1] = 2.0  # from part 1 into part 2
    flow[0, 0, 2, 0] = 1.0  # stays in part 1
    flow[0, 0, 0, 1] = 2.0  # another part, but invisible
    seen[0, 0, 0, 1] = 1
    ours = losses.part_loss(flow, truth, seen, parts, parts)
    assert float(ours) == pytest.approx(0.05 * 2.0 / (2 * 4 * 4))


def test_the_end_point_error_is_over_the_body():
    flow, seen, _ = truths(3)
    found = flow + np.random.default_rng(4).normal(size=flow.shape)
    plain = [np.sqrt(((found - flow)[b] ** 2).sum(0))[seen[b, 0] < 2].mean() for b in range(2)]
    assert losses.end_point_error(*tensors(found, flow, seen)).numpy() == pytest.approx(plain)


def test_cross_entropy_of_all_pixels():
    _, seen, _ = truths(5)
    logits = np.random.default_rng(6).normal(size=(2, 3, 8, 8))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    plain = -np.mean([np.log(shares[b, int(seen[b, 0, y, x]), y, x]) for b, y, x in np.ndindex(2, 8, 8)])
    assert float(losses.visibility_loss(*tensors(logits, seen))) == pytest.approx(plain)


def test_adversarial_losses():
    logits = torch.tensor([-1.5, 0.3], dtype=torch.float64)
    share = 1 / (1 + np.exp(-logits.numpy()))
    assert float(losses.real_loss(logits, "dcgan")) == pytest.approx(-np.log(share).mean())
    assert float(losses.fake_loss(logits, "dcgan")) == pytest.approx(-np.log(1 - share).mean())
    assert float(losses.real_loss(logits, "lsgan")) == pytest.approx(((logits.numpy() - 1) ** 2).mean())
    assert float(losses.fake_loss(logits, "lsgan")) == pytest.approx((logits.numpy() ** 2).mean())


def test_smoothing_takes_the_median_on_the_body_only():
    seen = torch.zeros(1, 1, 7, 7)
    seen[0, 0, 3, 3], seen[0, 0, 0, 0] = 1, 2
    smooth = losses.smoothed_visibility(seen)
    assert smooth[0, 0, 3, 3] == 0 and smooth[0, 0, 0, 0] == 2


def test_random_features_are_the_same_every_time_and_leave_the_generator_alone():
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    one, two = (perceptual.feature_network("random") for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    image, other = torch.rand(1, 3, 32, 32) * 2 - 1, torch.rand(1, 3, 32, 32) * 2 - 1
    maps = one(image)
    assert [m.shape[1:] for m in maps] == [(16, 32, 32), (32, 16, 16), (64, 8, 8), (96, 4, 4), (128, 2, 2)]
    plain = 0.125 * sum((a - b).abs().mean() for a, b in zip(maps, two(other), strict=True))
    assert float(perceptual.perceptual_loss(one, image, other)) == pytest.approx(float(plain))
    assert float(perceptual.perceptual_loss(one, image, image)) == 0


def test_layers_of_vgg19_have_their_published_places():
    places = [int(place) for place in perceptual.Features(perceptual._VGG19).features]
    assert places == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28]


def vgg_file(folder, drop=None):
    tensors = perceptual.Features(perceptual._VGG19).state_dict()
    tensors.pop(drop, None)
    save_file(tensors | {"classifier.0.weight": torch.zeros(1)}, folder / "vgg.safetensors")
    return supplied(folder / "vgg.safetensors")


def supplied(path):
    """A file and its hash, as a config names them."""
    return str(path), hashlib.sha256(path.read_bytes()).hexdigest()


def test_weights_of_vgg_are_taken_by_their_hash_only(tmp_path):
    path, digest = vgg_file(tmp_path)
    network = perceptual.feature_network("vgg19", path, digest)
    assert len(network(torch.zeros(1, 3, 32, 32))) == 5
    with pytest.raises(ReposeError, match="sha256 is"):
        perceptual.feature_network("vgg19", path, "0" * 64)
    with pytest.raises(ReposeError, match="cannot read"):
        perceptual.feature_network("vgg19", str(tmp_path / "no.pth"), digest)
    path, digest = vgg_file(tmp_path, drop="features.5.weight")
    with pytest.raises(ReposeError, match=r"has no features\.5\.weight"):
        perceptual.feature_network("vgg19", path, digest)


def test_weights_of_vgg_are_read_by_the_guarded_readers(tmp_path):
    tensors = perceptual.Features(perceptual._VGG19).state_dict()
    torch.save(tensors, tmp_path / "vgg.pth")
    network = perceptual.feature_network("vgg19", *supplied(tmp_path / "vgg.pth"))
    assert torch.equal(network.features["0"].weight, tensors["features.0.weight"])
    torch.save({**tensors, "other": hashlib.sha256}, tmp_path / "code.pth")
    (tmp_path / "garbage.pth").write_bytes(b"garbage" * 99)
    (tmp_path / "garbage.safetensors").write_bytes(b"garbage" * 99)
    for name, says in (
        ("code.pth", "asks to run _hashlib.openssl_sha256, which no weights need"),
        ("garbage.pth", "not a whole PyTorch checkpoint of tensors"),
        ("garbage.safetensors", "not a whole safetensors file"),
    ):
        with pytest.raises(ReposeError, match=f"{name}: {says}"):
            perceptual.feature_network("vgg19", *supplied(tmp_path / name))
