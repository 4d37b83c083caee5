import subprocess
import sys

import pytest
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.methods.build import build, count_parameters

TRAINING = {"steps": 1}
SMALL = {
    "npt": {"width": 8, "training": TRAINING},
    "corenet": {"width": 8, "refine_width": 8, "residual_blocks": 1, "training": TRAINING},
    "copy": {"mesh": "pose"},
}


def method(architecture, **settings):
    return TypeAdapter(Method).validate_python({"architecture": architecture, **settings})


@pytest.mark.parametrize("architecture", SMALL)
def test_the_settings_of_a_method_are_the_arguments_of_its_network(architecture):
    network = build(method(architecture, **SMALL[architecture]))
    assert (count_parameters(network) > 0) == (architecture != "copy")


@pytest.mark.parametrize(("architecture", "parameters"), [("npt", 6_054_941), ("corenet", 24_461_447)])
def test_the_defaults_are_the_published_networks(architecture, parameters):
    settings = {"faithful": True} if architecture == "corenet" else {}
    assert count_parameters(build(method(architecture, training=TRAINING, **settings))) == parameters


def test_building_one_does_not_import_the_other():
    code = (
        "import sys; from repose.config.methods import Npt; from repose.methods.build import build;"
        "build(Npt(architecture='npt', width=8, training={'steps': 1}));"
        "print('repose.methods.corenet.network' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
