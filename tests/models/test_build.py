import subprocess
import sys

import pytest
import torch

from repose.errors import ReposeError
from repose.models import ARCHITECTURES, build

SMALL = {"npt": {"width": 8}, "corenet": {"width": 8, "refine_width": 8, "residual_blocks": 1}}


def test_builds_every_architecture():
    for name in ARCHITECTURES:
        assert sum(p.numel() for p in build({"architecture": name, **SMALL[name]}).parameters()) > 0


def test_names_what_is_wrong():
    with pytest.raises(ReposeError, match=r"unknown architecture 'nppt' \(hint: one of corenet, npt\)"):
        build({"architecture": "nppt"})
    with pytest.raises(ReposeError, match=r"cannot be built.*'wdth'"):
        build({"architecture": "npt", "wdth": 3})


def test_building_one_does_not_import_the_other():
    code = (
        "import sys, repose.models as m; m.build({'architecture': 'npt', 'width': 8});"
        "print('repose.models.corenet' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_a_seed_decides_every_bit_of_a_training_step(name):
    first, second = training_step(name), training_step(name)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_trains_under_bfloat16_autocast(name):
    assert all(g.isfinite().all() for g in training_step(name, half=True))


def training_step(name, half=False):
    torch.manual_seed(5)
    net = build({"architecture": name, **SMALL[name]})
    identity, pose, truth = torch.randn(3, 2, 60, 3)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        loss = (net(identity, pose).vertices - truth).square().mean()
    loss.backward()
    return [p.grad for p in net.parameters() if p.grad is not None]
