"""From settings to networks, and what each of them is told."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd
import pytest
import torch
from puppets import flow_method, transfer_method
from pydantic import TypeAdapter
from torch import nn
from worms import WIDTHS

from repose.config.load import check, load_files
from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build, count_parameters, imported, recipe_of
from repose.methods.interface import ImageNetwork, PoseGenerator, Transfer, TransferNetwork
from repose.methods.registry import installed
from repose.methods.settings import LearnedTransfer, MethodSettings, Told
from repose.methods.supervised import SupervisedRecipe
from repose.methods.transfer_recipe import TransferRecipe

DEFAULT = Path(__file__).parents[2] / "config.yaml"
TRAINING = {"steps": 1}
CORENET = {"width": 8, "refine_width": 8, "residual_blocks": 1, "training": TRAINING}
SMALL = {
    "canonical": {"width": 8, "blocks": 1, "training": TRAINING},
    "cgt": {"width": 8, "training": TRAINING},
    "copy": {"mesh": "pose"},
    "copy-image": {"image": "target"},
    "copy-poses": {"poses": "training"},
    "corenet": CORENET,
    "corenet-ablated": CORENET | {"warp": False},
    "corenet-rotations": CORENET | {"weights_of": "corenet"},
    "deformation-transfer": {},
    "flow-regression": flow_method(),
    "flow-transfer": transfer_method(),
    "iepgan": {"width": 16, "generator_width": 8, "training": TRAINING},
    "image-features": {"training": TRAINING},
    "image-scorer": {"training": TRAINING},
    "mapconnet": CORENET | {"identity_channels": 4},
    "njf": {"width": 8, "code": 8, "training": TRAINING},
    "npr": {**WIDTHS, "training": TRAINING},
    "npr-diffusion": {"npr": WIDTHS, "width": 8, "layers": 1, "training": TRAINING | {"poses_of": "npr"}},
    "npt": {"width": 8, "training": TRAINING},
    "render-scorer": {"training": TRAINING},
    "spectral-rotations": {},
    "xdualnet": {"width": 8, "refine_width": 8, "training": TRAINING},
    "xdualnet-rotations": {"width": 8, "refine_width": 8, "training": TRAINING, "weights_of": "xdualnet"},
}
PROTOCOLS = {"meshes": TransferNetwork, "images": ImageNetwork, "poses": PoseGenerator}


def method(architecture, **settings):
    return TypeAdapter(Method).validate_python({"architecture": architecture, **settings})


def test_every_architecture_is_tried_here():
    assert {name for name, s in installed().items() if s.__module__.startswith("repose.")} == SMALL.keys()


@pytest.mark.parametrize("architecture", SMALL)
def test_the_settings_of_a_method_are_the_arguments_of_its_network(architecture):
    settings = method(**{"architecture": architecture, **SMALL[architecture]})
    network = build(settings)
    assert (count_parameters(network) > 0) == settings.learned == (settings.recipe is not None)
    assert isinstance(network, PROTOCOLS[settings.medium]) == settings.compared
    if settings.learned:
        assert recipe_of(settings) is imported(settings.recipe)
    else:
        with pytest.raises(ReposeError, match="nothing to train"):
            recipe_of(settings)


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [("npt", 6_054_941), ("cgt", 12_009_351), ("njf", 644_673), ("corenet", 24_461_447)],
)
def test_the_defaults_are_the_published_networks(architecture, parameters):
    settings = {"faithful": True} if architecture in ("corenet", "njf") else {}
    assert count_parameters(build(method(architecture, training=TRAINING, **settings))) == parameters


def test_building_one_does_not_import_the_other():
    code = (
        "import sys; from repose.methods.npt.settings import NptSettings; from repose.methods.build import build;"
        "build(NptSettings(architecture='npt', width=8, training={'steps': 1}));"
        "print('repose.methods.npt.network' in sys.modules, 'repose.methods.corenet.network' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True", "False"]


def test_settings_import_no_torch():
    code = "import sys; import repose.config.models; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_what_each_method_of_the_default_run_is_told():
    told = {name: set(settings.told) for name, settings in load_files(DEFAULT).methods.items()}
    for name in ("copy-identity", "mapconnet-unsupervised", "xdualnet", "copy-source"):
        assert told[name] == set(), name
    for name in ("npt", "cgt", "corenet", "mapconnet-supervised", "mapconnet-semi", "flow", "flow-full"):
        assert told[name] == {Told.TRUTH}, name
    assert told["iepgan"] == told["copy-pose"] == {Told.REGISTRATION}
    assert told["npr"] == told["npr-diffusion"] == told["rest-pose"] == {Told.REST_BODIES}
    assert told["njf"] == {Told.TRUTH, Told.REST_BODIES}
    assert told["training-poses"] == {Told.REST_BODIES, Told.ANSWER} and told["real-data"] == {Told.ANSWER}


def test_a_learned_correspondence_is_told_the_registration_only_if_it_learns_from_it():
    def told(**settings):
        return set(method("iepgan", **{"training": TRAINING, **settings}).told)

    assert told(correspondence="learned") == {Told.REGISTRATION}
    assert told(correspondence="learned", training=TRAINING | {"warp_weight": 0}) == set()
    assert told(faithful=True) == {Told.REGISTRATION, Told.TRUTH}


class Half(nn.Module, TransferNetwork):
    """Halfway between the two meshes."""

    def __init__(self, **declared):
        super().__init__()
        for name, value in declared.items():
            setattr(self, name, value)

    def forward(self, identity, pose, *rests):
        return Transfer((identity + pose) / 2)


class HalfSettings(MethodSettings):
    network: ClassVar[str] = f"{__name__}:Half"

    architecture: Literal["half"] = "half"


class OrderedHalf(HalfSettings):
    ordered: bool = True


class RestedHalf(HalfSettings):
    rest_pose: int = 0


class NoNetwork(HalfSettings):
    network: ClassVar[str] = "torch.nn:Identity"


class Truthful(RestedHalf):
    told: ClassVar[frozenset[Told]] = frozenset({Told.REST_BODIES})


def test_a_network_is_held_to_what_its_settings_say_that_it_is_told():
    assert not build(HalfSettings()).ordered
    for settings, what in ((OrderedHalf(), "registration"), (RestedHalf(), "rest bodies")):
        with pytest.raises(ReposeError, match=f"half: its network is told its {what}, which its settings"):
            build(settings)
    assert build(Truthful()).rest_pose == 0
    with pytest.raises(ReposeError, match="torch.nn:Identity makes no network of meshes"):
        build(NoNetwork())


class Blind(LearnedTransfer):
    """Told the registration and no truth."""

    network: ClassVar[str] = f"{__name__}:Half"
    told: ClassVar[frozenset[Told]] = frozenset({Told.REGISTRATION})

    architecture: Literal["blind"] = "blind"


class Rows:
    """A store whose rows are named by their numbers."""

    @staticmethod
    def index_of(name):
        return int(name)


def test_a_method_that_is_told_no_truth_reads_none():
    row = {"identity_mesh": "0", "pose_mesh": "1", "truth_mesh": "2"}
    splits = pd.DataFrame([row | {"role": role} for role in ("train", "val")])
    blind = Blind(training=TRAINING)
    data = TransferRecipe.read(blind, Rows(), splits)
    assert data.train.rows.tolist() == [[0, 1, 0]] and data.val.rows.tolist() == [[0, 1, 2]]
    told = TransferRecipe.read(method("npt", width=8, training=TRAINING), Rows(), splits)
    assert told.train.rows.tolist() == told.val.rows.tolist() == [[0, 1, 2]]
    with pytest.raises(ReposeError, match="blind says that it is told registration; the supervised"):
        SupervisedRecipe.read(blind, Rows(), splits)


def test_scorers_and_features_stand_in_no_table():
    values = load_files(DEFAULT).model_dump(mode="json")
    for name in ("render-scorer", "image-features"):
        values["tables"] = {"t": {"datasets": ["open-human"], "methods": [name]}}
        with pytest.raises(ReposeError, match=f"tables.t.methods: '{name}' only serves other methods"):
            check(values)


def test_an_oracle_of_images_is_told_the_target_and_a_baseline_is_not():
    source, target, joints = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4), torch.zeros(1, 18, 3)
    copies = (build(method("copy-image", image=image)) for image in ("source", "target"))
    baseline, oracle = copies
    assert not baseline.oracle and torch.equal(baseline(source, joints, joints).image, source)
    assert oracle.oracle and torch.equal(oracle(source, joints, joints, target).image, target)
