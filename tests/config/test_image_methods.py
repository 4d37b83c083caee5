"""Settings of image methods that do not fit together are refused where they stand."""

import copy

import pytest
import yaml
from conftest import ROOT
from puppets import flow_method, transfer_method

from repose.config.load import load_files
from repose.errors import ReposeError

DATASET = {
    "source": "open-human", "identities": {"train": 1, "val": 1, "test": 1},
    "poses": {"train": 1, "val": 1, "test": 1},
}  # fmt: skip
METHODS = {
    "copy-identity": {"architecture": "copy", "mesh": "identity"},
    "flow": flow_method(),
    "flow-no-pixel-warp": transfer_method(),
    "flow-full": transfer_method({"generator": "flow-no-pixel-warp"}, pixel_warp=True),
}


def loaded(tmp_path, change):
    values = {
        "datasets": {"bodies": copy.deepcopy(DATASET)}, "methods": copy.deepcopy(METHODS),
        "tables": {"t": {"datasets": ["bodies"], "methods": ["copy-identity"]}},
    }  # fmt: skip
    change(values)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return load_files(path)


def test_the_parts_of_a_variant_come_from_other_methods(tmp_path):
    methods = loaded(tmp_path, lambda values: None).methods
    assert methods["flow-full"].starts_from == {"flow": "flow", "generator": "flow-no-pixel-warp"}
    assert methods["flow"].starts_from == {} == methods["copy-identity"].starts_from


def test_settings_without_their_part_are_refused(tmp_path):
    def no_flow(values):
        values["methods"]["flow-no-pixel-warp"]["training"]["flow"] = None

    with pytest.raises(ReposeError, match="flow_network and training.flow belong to"):
        loaded(tmp_path, no_flow)

    def no_generator(values):
        values["methods"]["flow-full"]["training"]["generator"] = None

    with pytest.raises(ReposeError, match="training.generator belongs to pixel_warp"):
        loaded(tmp_path, no_generator)


def test_another_network_or_an_unknown_name_is_refused(tmp_path):
    def wider(values):
        values["methods"]["flow-full"]["flow_network"]["width"] = 16

    with pytest.raises(ReposeError, match="'flow' has another flow_network.*give both"):
        loaded(tmp_path, wider)

    def misspelt(values):
        values["methods"]["flow-full"]["training"]["flow"] = "flw"

    with pytest.raises(ReposeError, match="'flw' is not defined.*did you mean 'flow'"):
        loaded(tmp_path, misspelt)

    def not_a_flow(values):
        values["methods"]["flow-full"]["training"]["flow"] = "copy-identity"

    with pytest.raises(ReposeError, match="has no flow of its own"):
        loaded(tmp_path, not_a_flow)


def test_only_a_scorer_judges_a_dataset(tmp_path):
    def judged_by(name):
        def change(values):
            values["methods"]["judge"] = {"architecture": "image-scorer", "training": {"steps": 1}}
            values["datasets"]["people"] = {
                "source": "open-market", "bodies": "bodies", "height": 32, "width": 16, "scorer": name,
            }  # fmt: skip

        return change

    assert loaded(tmp_path, judged_by("judge")).datasets["people"].scorer == "judge"
    with pytest.raises(ReposeError, match="people.scorer: 'flow' scores no images .*: judge"):
        loaded(tmp_path, judged_by("flow"))
    with pytest.raises(ReposeError, match="people.scorer: 'jugde' is not defined.*did you mean 'judge'"):
        loaded(tmp_path, judged_by("jugde"))


def test_a_table_has_methods_and_datasets_of_one_kind(tmp_path):
    def mixed(values):
        values["tables"]["t"]["methods"].append("flow")

    with pytest.raises(ReposeError, match="'flow' is of images, 'copy-identity' of meshes"):
        loaded(tmp_path, mixed)


def test_perceptual_losses_are_never_mixed_within_a_table(tmp_path):
    def mixed(values):
        values["methods"]["flow-full"]["training"]["perceptual"] = {"features": "random"}
        values["tables"]["t"]["methods"] = ["flow-no-pixel-warp", "flow-full"]

    with pytest.raises(ReposeError, match=r"differ in training.perceptual|is of meshes"):
        loaded(tmp_path, mixed)


def test_the_paper_preset_switches_the_discriminator_on_in_epoch_6():
    """As released, where epochs count from 1: 5 of 30 have passed by then, of 100,000 pairs in batches of 8."""
    methods = load_files(ROOT / "config.yaml", ROOT / "workflow" / "presets" / "paper.yaml").methods
    judged = [m.training for m in methods.values() if m.architecture == "flow-transfer"]
    assert len(judged) > 5
    for training in judged:
        epoch = training.steps // 30
        assert (epoch, training.batch) == (12_500, 8)
        assert training.adversarial_from == (6 - 1) * epoch == 62_500


def test_weights_of_vgg_need_their_hash(tmp_path):
    def no_hash(values):
        values["methods"]["flow-full"]["training"]["perceptual"] = {"features": "vgg19", "weights": "v.pth"}

    with pytest.raises(ReposeError, match="weights and sha256 belong to features: vgg19"):
        loaded(tmp_path, no_hash)
