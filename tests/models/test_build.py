import subprocess
import sys

import pytest

from repose.errors import ReposeError
from repose.models import ARCHITECTURES, build


def test_builds_every_architecture():
    small = {"npt": {"width": 8}, "corenet": {"width": 8, "refine_width": 8, "residual_blocks": 1}}
    for name in ARCHITECTURES:
        assert sum(p.numel() for p in build({"architecture": name, **small[name]}).parameters()) > 0


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
