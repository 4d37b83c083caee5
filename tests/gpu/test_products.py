"""Products of matrices at the widths of the papers: a GPU must be able to read and write them 16 bytes at a time."""

import json
from pathlib import Path

import pytest
from conftest import ROOT
from gpu.pretended import run

PRODUCTS = Path(__file__).with_name("products.py")
# What may be misaligned of a step's floating-point operations.
ALLOWED = 0.002


@pytest.fixture(scope="module")
def found(guard, tmp_path_factory):
    """What `products.py` writes."""
    out = tmp_path_factory.mktemp("products") / "out.json"
    run(PRODUCTS, guard, out, ROOT / "config.yaml", ROOT / "workflow/presets/paper.yaml")
    return json.loads(out.read_text())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_hardly_any_misses_the_alignment(found, precision):
    shares = {
        name: sum(steps[precision]["missed"].values()) / steps[precision]["flops"]
        for name, steps in found.items()
    }
    assert {name: share for name, share in shares.items() if share > ALLOWED} == {}
