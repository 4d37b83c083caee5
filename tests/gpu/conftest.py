"""What the tests on a pretended GPU share."""

import pytest
from gpu import pretended


@pytest.fixture(scope="session")
def guard(tmp_path_factory):
    """What a CPU build of PyTorch lacks, compiled."""
    out = tmp_path_factory.mktemp("guard") / "guard.so"
    try:
        pretended.compile_guard(out)
    except FileNotFoundError:
        pytest.skip("no C++ compiler")
    return out
