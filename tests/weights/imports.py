"""What tests of all imports do: change a checkpoint, have one refused, compare two forward passes."""

import pytest
import torch

from repose.errors import ReposeError
from repose.weights.stage import run


def difference(ours, released):
    return ((ours - released).abs().max() / released.abs().max()).item()


def rewritten(file, change):
    content = torch.load(file, weights_only=True)
    change(content)
    torch.save(content, file)


def refused(files, tmp_path, system="3d-corenet", **options):
    out = tmp_path / "refused.safetensors"
    with pytest.raises(ReposeError) as error:
        run(system, files, out, **options)
    assert not out.exists() and not list(tmp_path.glob("*refused*")), "something was written"
    message = str(error.value)
    assert "\n" not in message
    return message
