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
    if find_spec("torchvision") is None:
        sys.path.append(str(Path(sys.prefix) / "torchvision"))
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
