"""Training of flow and of generators on puppets whose flow is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from puppets import SIZE, flow_method, puppet_pairs, puppet_store, transfer_method
from pydantic import TypeAdapter
from safetensors.torch import save_file

from repose.config.models import Method
from repose.data.images import ImagePairs, scaled, unscaled
from repose.errors import ReposeError
from repose.images.metrics import ssim_u7
from repose.methods.build import build, recipe_for
from repose.methods.flow.flow_recipe import halved, shifted
from repose.methods.flow.transfer_recipe import placed
from repose.methods.scorers.image_scorer_recipe import varied
from repose.store.image_store import ImageStore
from tests import trainings
from tests.trainings import resumes, same


def method(settings):
    return TypeAdapter(Method).validate_python(settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("puppets")
    puppet_store(folder)
    parts = (puppet_pairs(range(4), "train"), puppet_pairs(range(4, 5), "val"))
    pd.concat(parts, ignore_index=True).to_parquet(folder / "train.parquet")
    return folder


def fit(folder, state, settings, seed=0, given=None):
    store = ImageStore(folder / "images.zarr")
    return trainings.fit(method(settings), store, folder / "train.parquet", state, seed, given)


@pytest.fixture(scope="module")
def flow_weights(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("flow") / "model.safetensors"
    save_file(fit(folder, path.parent / "state", flow_method()).weights, path)
    return path


def test_the_flow_is_learned(folder, tmp_path):
    settings = flow_method(steps=60, validate_every=30, batch=8)
    history = fit(folder, tmp_path, settings).history
    assert history.val_epe_px.iloc[-1] < 0.75 * history.val_epe_px.iloc[0]


def test_a_shift_of_the_target_changes_its_flow_by_as_much(folder):
    store = ImageStore(folder / "images.zarr")
    batch = ImagePairs(store, puppet_pairs(range(1), "train")).flows(np.arange(3))
    shifts = torch.tensor([[3, -2], [0, 0], [-20, 0]])
    moved = shifted(batch, shifts)
    place = np.s_[:, :-2, 3:], np.s_[:, 2:, :-3]
    seen = moved.visibility[0][place[0]] < 2
    expected = batch.flow[0][place[1]] - torch.tensor([3.0, -2.0])[:, None, None]
    assert torch.equal(moved.flow[0][place[0]] * seen, expected * seen)
    assert torch.equal(moved.visibility[0][place[0]], batch.visibility[0][place[1]])
    assert torch.equal(moved.target_parts[0][place[0][1:]], batch.target_parts[0][place[1][1:]])
    assert all(torch.equal(a[1], b[1]) for a, b in zip(moved, batch, strict=True))
    gone = batch.target_joints[2, :, 0] < 20
    assert not moved.target_joints[2, gone, 2].any() and (moved.visibility[2, 0, :, -20:] == 2).all()
    assert torch.equal(moved.source_joints, batch.source_joints)


def test_a_target_is_moved_with_its_joints_and_scaled_about_its_middle(folder):
    pairs = ImagePairs(ImageStore(folder / "images.zarr"), puppet_pairs(range(1), "train"))
    batch = pairs.images(np.arange(2))
    moved = placed(batch, torch.tensor([[3.0, -2.0], [0.0, 0.0]]), torch.tensor([1.0, 1.0]))
    assert torch.allclose(moved.target[0, :, :-2, 3:], batch.target[0, :, 2:, :-3], atol=1e-5)
    assert torch.allclose(moved.target[1], batch.target[1], atol=1e-5)
    assert torch.equal(
        moved.target_joints[0, 0, :2], batch.target_joints[0, 0, :2] + torch.tensor([3.0, -2.0])
    )
    # Symmetric about the middle: a mirrored image scaled is the scaled image mirrored, not so with sides exchanged.
    scales = torch.tensor([1.2, 1 / 1.2])
    large = placed(batch, torch.zeros(2, 2), scales)
    mirrored = placed(batch._replace(target=batch.target.flip(-1)), torch.zeros(2, 2), scales)
    assert torch.allclose(large.target, mirrored.target.flip(-1), atol=1e-4)
    corner, middle = torch.tensor([20.0, 30.0]), torch.tensor([11.5, 15.5])
    batch.target_joints[:, 0] = torch.tensor([*corner, 1.0])
    joint = placed(batch, torch.zeros(2, 2), scales).target_joints[:, 0]
    assert torch.allclose(joint[1, :2], (corner - middle) / 1.2 + middle) and joint[1, 2] == 1
    assert joint[0, 2] == 0  # enlarged, it has left the frame


def test_the_released_middle_is_that_of_the_sides_exchanged(folder):
    pairs = ImagePairs(ImageStore(folder / "images.zarr"), puppet_pairs(range(1), "train"))
    batch, scales = pairs.images(np.arange(1)), torch.tensor([2.0])
    middle = torch.tensor([15.5, 11.5])
    batch.target_joints[:, 0] = torch.tensor([*(middle + torch.tensor([2.0, -3.0])), 1.0])
    moved = placed(batch, torch.tensor([[1.0, 0.0]]), scales, exchanged=True)
    assert torch.allclose(moved.target_joints[0, 0, :2], middle + torch.tensor([5.0, -6.0]))
    # What lies at p comes from middle + (p - shift - middle) / 2.
    rows, columns = torch.arange(0, 32), torch.arange(0, 22)
    there = ((rows - 11.5) / 2 + 11.5), ((columns - 1 - 15.5) / 2 + 15.5)
    expected = bilinear(batch.target[0], *there)
    assert torch.allclose(moved.target[0][:, rows][:, :, columns], expected, atol=1e-4)
    assert not torch.allclose(placed(batch, torch.tensor([[1.0, 0.0]]), scales).target, moved.target)


def bilinear(image, rows, columns):  # (C, H, W), (R,), (K,) to (C, R, K)
    top, left = rows.floor().long(), columns.floor().long()
    down, right = (rows - top)[:, None], columns - left
    above, below = (
        image[:, r][:, :, left] * (1 - right) + image[:, r][:, :, left + 1] * right for r in (top, top + 1)
    )
    return above * (1 - down) + below * down


def test_a_training_with_moved_targets_is_repeatable(folder, tmp_path, flow_weights):
    settings, given = transfer_method({"shift": [3, 2], "scale": 1.2}), {"flow": flow_weights}
    first, second = (fit(folder, tmp_path / name, settings, given=given).weights for name in "ab")
    plain = fit(folder, tmp_path / "plain", transfer_method(), given=given).weights
    assert same(first, second) and not same(first, plain)


def test_a_warped_source_is_the_target_where_it_is_visible(folder):
    from repose.methods.flow.warp import warp

    pairs = ImagePairs(ImageStore(folder / "images.zarr"), puppet_pairs(range(2), "train"))
    images, flows = pairs.images(np.arange(8)), pairs.flows(np.arange(8))
    wrong = (warp(images.source, flows.flow) - images.target).abs() * (flows.visibility == 0)
    # The head lies over the torso in some sources, which these puppets' visibility does not know.
    assert (wrong > 1e-3).float().mean() < 0.01


def test_the_flow_of_a_transfer_is_the_trained_one_and_stays_as_it_is(folder, tmp_path, flow_weights):
    given = {"flow": flow_weights}
    weights = fit(folder, tmp_path, transfer_method(), given=given).weights
    from safetensors.torch import load_file

    trained = load_file(flow_weights)
    assert trained and all(torch.equal(weights[name], value) for name, value in trained.items())


def test_images_of_a_person_not_seen_in_training_come_out_nearer_to_the_truth_than_a_copy(folder, tmp_path):
    flow = fit(folder, tmp_path / "flow", flow_method(steps=60, validate_every=60, batch=8))
    save_file(flow.weights, tmp_path / "flow.safetensors")
    settings = transfer_method({"steps": 60, "validate_every": 60, "batch": 8})
    history = fit(folder, tmp_path, settings, given={"flow": tmp_path / "flow.safetensors"}).history
    held_out = ImagePairs(ImageStore(folder / "images.zarr"), puppet_pairs(range(4, 5), "val"))
    images = held_out.images(np.arange(len(held_out)))
    copied = 1 - ssim_u7(*((x.double().movedim(1, -1) + 1) * 127.5 for x in (images.source, images.target)))
    untrained, trained = history.val_dssim
    assert trained < 0.7 * copied.mean() and trained < 0.6 * untrained


def test_a_mask_leaves_the_generator_it_was_given_alone(folder, tmp_path, flow_weights):
    first = fit(folder, tmp_path / "first", transfer_method(), given={"flow": flow_weights})
    save_file(first.weights, tmp_path / "generator.safetensors")
    settings = transfer_method({"generator": "other"}, pixel_warp=True)
    given = {"flow": flow_weights, "generator": tmp_path / "generator.safetensors"}
    second = fit(folder, tmp_path / "second", settings, given=given)
    assert all(torch.equal(second.weights[k], v) for k, v in first.weights.items())
    assert any(k.startswith("blend.") for k in second.weights)


def test_another_flow_net_is_refused(folder, tmp_path, flow_weights):
    other = transfer_method(flow_network={"network": "unet_v2", "width": 4, "widest": 16, "levels": 2})
    with pytest.raises(ReposeError, match="its flow is another network"):
        fit(folder, tmp_path, other, given={"flow": flow_weights})
    with pytest.raises(ReposeError, match="needs the weights of another one: its flow"):
        fit(folder, tmp_path, transfer_method())


def test_images_that_cannot_be_halved_or_judged_are_refused(folder, tmp_path, flow_weights):
    with pytest.raises(ReposeError, match="32 × 24 pixels cannot be halved 4 times.*levels"):
        fit(folder, tmp_path, transfer_method(levels=4), given={"flow": flow_weights})


def one_step(folder, settings, given, step):
    torch.manual_seed(0)
    store, splits = ImageStore(folder / "images.zarr"), pd.read_parquet(folder / "train.parquet")
    which = method(settings)
    task = recipe_for(which, build(which), store, splits, 0, given)
    optimizers, rates = task.configure_optimizers()
    task.optimizers, task.lr_schedulers = lambda: optimizers, lambda: rates
    task.manual_backward = lambda loss: loss.backward()
    kind = type(task)
    task.__class__ = type(kind.__name__, (kind,), {"iteration": property(lambda self: step + 1)})
    before = {k: v.clone() for k, v in task.state_dict().items()}
    task.training_step(next(iter(task.batches(step, step + 1))), 0)
    return {k for k, v in task.state_dict().items() if not torch.equal(v, before[k])}


@pytest.mark.parametrize("loss", ["dcgan", "lsgan"])
def test_the_discriminator_learns_from_its_step_on(folder, flow_weights, loss):
    settings = transfer_method({"adversarial_from": 2, "adversarial_loss": loss})
    early = one_step(folder, settings, {"flow": flow_weights}, 1)
    late = one_step(folder, settings, {"flow": flow_weights}, 2)
    assert not any(k.startswith("discriminator") for k in early)
    assert any(k.startswith("discriminator") for k in late) and any("generator" in k for k in late)


def test_without_a_weight_there_is_no_discriminator_and_the_perceptual_loss_counts(folder, flow_weights):
    training = {"adversarial_weight": 0, "l1_weight": 0, "perceptual": {"features": "random"}}
    changed = one_step(folder, transfer_method(training), {"flow": flow_weights}, 0)
    assert any("generator" in k for k in changed) and not any("discriminator" in k for k in changed)


def test_features_learn_the_parts_and_are_those_that_the_perceptual_loss_compares(
    folder, tmp_path, flow_weights
):
    training = {"steps": 30, "batch": 8, "validate_every": 15, "learning_rate": 3e-3}
    trained = fit(folder, tmp_path / "a", {"architecture": "image-features", "training": training})
    history = trained.history.val_cross_entropy
    assert history.iloc[-1] < 0.7 * history.iloc[0]
    save_file(trained.weights, tmp_path / "features.safetensors")
    which = method(transfer_method({"perceptual": {"features": "trained", "method": "features"}}))
    assert which.starts_from == {"flow": "flow", "features": "features"}
    given = {"flow": flow_weights, "features": tmp_path / "features.safetensors"}
    splits = pd.read_parquet(folder / "train.parquet")
    task = recipe_for(which, build(which), ImageStore(folder / "images.zarr"), splits, 0, given)
    for name, value in task.features.state_dict().items():
        assert torch.equal(value, trained.weights[f"features.{name}"])


def test_a_scorer_learns_the_clothes(folder, tmp_path):
    training = {"steps": 40, "batch": 8, "validate_every": 20, "learning_rate": 3e-3}
    trained = fit(folder, tmp_path, {"architecture": "image-scorer", "training": training})
    losses = trained.history.train_loss
    assert losses.iloc[-1] < 0.5 * losses.iloc[1]


def test_a_person_is_mirrored_and_cut_out_whole(folder):
    batch = ImagePairs(ImageStore(folder / "images.zarr"), puppet_pairs(range(4), "train")).labelled(
        np.arange(64)
    )
    changed = varied(batch, np.random.default_rng(0)).image
    cut = torch.where((batch.parts > 0)[:, None], batch.image, torch.full_like(batch.image, -1.0))
    kinds = [batch.image, batch.image.flip(-1), cut, cut.flip(-1)]
    counts = [sum(torch.equal(a, b) for a, b in zip(changed, kind, strict=True)) for kind in kinds]
    assert sum(counts) >= 64 and min(counts) > 5


SCORER = {
    "architecture": "image-scorer",
    "training": {"batch": 8, "validate_every": 2, "learning_rate": 3e-3},
}


@pytest.mark.parametrize(
    "settings", [flow_method(shift=[2, 1]), transfer_method({"adversarial_from": 1}), SCORER]
)
def test_a_stopped_training_resumes_to_the_same_weights(
    folder, tmp_path, flow_weights, settings, monkeypatch
):
    given = {"flow": flow_weights} if settings["architecture"] == "flow-transfer" else {}
    settings["training"] |= {"steps": 6}
    whole = resumes(lambda state: fit(folder, state, settings, given=given), tmp_path, monkeypatch)
    assert whole.history.step.tolist() == [0, 2, 4, 6]
    other = fit(folder, tmp_path / "other", settings, seed=1, given=given)
    assert not same(whole.weights, other.weights)


def test_images_come_back_as_they_were():
    images = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    assert np.array_equal(unscaled(scaled(images)), images)
    x = torch.from_numpy(images).double()
    assert float(ssim_u7(x, x).min()) == pytest.approx(1)


def test_the_rate_halves():
    factor = halved(lambda step: 1.0, 8)
    assert [factor(step) for step in (0, 7, 8, 16)] == [1, 1, 0.5, 0.25]
