"""torchvision for the tests of the published scorers, from where the Makefile puts it."""

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def torchvision():
    """The module; its networks are plain torch and need none of its compiled operators.

    The one that the Makefile installs may be compiled for another build of torch than the one here. Then it does not
    find its operators when it is imported, so that they are declared first.
    """
    with pytest.MonkeyPatch.context() as patch:
        # Not for longer: processes that other tests start would find it there, without what is declared below.
        if find_spec("torchvision") is None:
            patch.setattr(sys, "path", [*sys.path, str(Path(sys.prefix) / "torchvision")])
        return _imported()


def _imported():
    try:
        return importlib.import_module("torchvision")
    except RuntimeError:
        for name in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        module = importlib.import_module("torchvision")
        module.declared = library  # its declarations end with it
        return module
