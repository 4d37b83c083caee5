"""Where networks run, and how exactly they multiply."""

import pytest
import torch

from repose.config.models import Compute
from repose.device import device_of
from repose.errors import ReposeError


@pytest.fixture(autouse=True)
def restored():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.parametrize(
    ("precision", "products"), [("fp32", "highest"), ("tf32", "medium"), ("bf16", "highest")]
)
def test_a_precision_means_one_thing_whatever_was_set_before(precision, products):
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = precision != "tf32"
    assert device_of(Compute(device="cpu", precision=precision)).type == "cpu"
    assert torch.get_float32_matmul_precision() == products
    assert torch.backends.cudnn.allow_tf32 == (precision == "tf32")


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        ReposeError, match=r"compute.device: cuda: no GPU here \(hint: run it where there is one"
    ):
        device_of(Compute(device="cuda"))
    assert device_of(Compute(device="auto")).type == "cpu"
