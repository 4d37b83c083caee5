"""The bench `npr`: neighbours of the faces, and a training step, of Neural Pose Representation.

The plain way to find neighbours is the released one: all distances at once, fully sorted. Memory is that of a separate
process for each side, beyond what it holds before.
"""

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from repose.bench import comparison, timed
from repose.bench.bodies import body
from repose.bench.processes import RETURN_MEMORY, alone, memory_mib
from repose.methods.layers.nearest import nearest
from repose.methods.npr.neighbours import NEAR
from repose.methods.npr.network import Npr

SIDES = ("plain", "ours")
ANCHORS = ("posed", "rest")


def measure(vertices: int = 6890, repeats: int = 2, **widths: int) -> dict[str, Any]:
    """Time neighbours of both sides alternately, and steps of batch 1 with posed keypoints and with those at rest.

    Args:
        vertices: number of vertices of the body.
        repeats: timed runs.
        widths: widths of `NPR`; the published ones if not given.

    Returns:
        What `repose.bench` prints, for the neighbours; `steps` has CPU seconds and MiB of a training step.
    """
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "body.npz"
        rest, faces = body(vertices)
        np.savez(mesh, rest=rest, faces=faces)
        return _measure(str(mesh), repeats, widths)


def _measure(mesh: str, repeats: int, widths: dict[str, int]) -> dict[str, Any]:
    points = _centroids(mesh)
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    found = {}
    for _ in range(repeats):
        for side in SIDES:
            found[side], wall, _ = timed(partial(neighbours, side, points))
            seconds[side].append(wall)
    sides = {}
    for side in SIDES:
        peak = alone("npr", f"peak_of_neighbours({side!r}, {mesh!r})", **RETURN_MEMORY)
        sides[side] = {"seconds": statistics.median(seconds[side]), "peak_mib": peak}
    lengths = [(points[0, :, None] - points[0][found[side][0]]).norm(dim=-1) for side in SIDES]
    error = float((lengths[0] - lengths[1]).abs().max())
    result = comparison("npr", f"{NEAR} neighbours of {points.shape[1]} faces", sides, error)
    steps = {
        a: alone("npr", f"training_step({a!r}, {mesh!r}, {repeats}, {widths!r})", **RETURN_MEMORY)
        for a in ANCHORS
    }
    return result | {"steps": steps}


def neighbours(side: str, points: Tensor) -> Tensor:
    """Return the nearest points of each point, (1, F, 10)."""
    if side == "ours":
        return nearest(points, points, NEAR)
    squares = points.square().sum(-1)
    distances = squares[:, :, None] + squares[:, None] - 2 * points @ points.mT
    return distances.argsort(dim=-1)[:, :, :NEAR]


def peak_of_neighbours(side: str, mesh: str) -> float:
    """Return the growth of this process in MiB; run it in a separate process."""
    points, before = _centroids(mesh), memory_mib("VmRSS")
    neighbours(side, points)
    return memory_mib("VmHWM") - before


def training_step(anchors: str, mesh: str, repeats: int, widths: dict[str, int]) -> dict[str, float]:
    """Return CPU seconds and MiB of a step beyond weights and optimiser; run it in a separate process."""
    rest, faces = (torch.from_numpy(np.load(mesh)[name]) for name in ("rest", "faces"))
    torch.manual_seed(0)
    network = Npr(anchors=anchors, **widths)  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(network.parameters())
    template = network.templates.of(rest[None].float(), faces.long())
    posed = (rest * torch.tensor([1.0, 1.1, 0.9]))[None].float()
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    before, seconds = memory_mib("VmRSS"), []
    for _ in range(repeats):
        start = time.process_time()
        out = network.transfer(network.encode(posed, template), template)
        loss = (out - posed).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.process_time() - start)
    return {"seconds": statistics.median(seconds), "mib": memory_mib("VmHWM") - before}


def _centroids(mesh: str) -> Tensor:
    """(1, F, 3) of a body in a file."""
    arrays = np.load(mesh)
    return torch.from_numpy(arrays["rest"][arrays["faces"]].mean(axis=1).astype(np.float32))[None]
