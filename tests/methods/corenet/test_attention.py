"""Another attention for the warp is one class: the one of docs/adding.md, as it stands there, learns."""

import re
from pathlib import Path

import pytest
import torch

from repose.methods.corenet.network import CoreNet

PAGE = Path(__file__).parents[3] / "docs" / "adding.md"


@pytest.fixture
def attention():
    (code,) = re.findall(r"```python attention\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    defined: dict = {}
    exec(compile(code, str(PAGE), "exec"), defined)
    return defined["SoftmaxCoreNet"]


def bodies(seed):
    """Four bodies of one blob in poses: the truth is the identity's size in the pose's bend, (4, 60, 3) metres."""
    draw = torch.Generator().manual_seed(seed)
    rest = torch.randn(60, 3, generator=torch.Generator().manual_seed(9)) * 0.3
    sizes, bends = (torch.rand(4, 1, 1, generator=draw) for _ in range(2))
    bend = 0.5 * (bends - 0.5) * rest[:, 1:2] ** 2 * torch.tensor([1.0, 0.0, 0.0])
    identity, pose, truth = rest * (0.8 + 0.4 * sizes), rest + bend, (rest + bend) * (0.8 + 0.4 * sizes)
    return identity, pose, truth


def test_it_has_the_weights_of_corenet_and_another_warp(attention):
    torch.manual_seed(0)
    ours = CoreNet(16, 1, 16).eval()
    other = attention(16, 1, 16).eval()
    other.load_state_dict(ours.state_dict())
    identity, pose, _ = bodies(0)
    with torch.no_grad():
        warps = [network(identity, pose).warp for network in (ours, other)]
    assert warps[0].shape == warps[1].shape == identity.shape
    assert not torch.allclose(*warps, atol=1e-3)


def test_it_learns(attention):
    torch.manual_seed(0)
    network = attention(16, 1, 16)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    held_out = bodies(1000)

    def error():
        with torch.no_grad():
            return float((network(*held_out[:2]).vertices - held_out[2]).square().mean())

    before = error()
    for step in range(60):
        identity, pose, truth = bodies(step)
        loss = (network(identity, pose).vertices - truth).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert error() < before / 2
