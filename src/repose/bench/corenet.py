"""The bench `corenet`: a training step of 3D-CoreNet and of unsupervised MAPConNet, plain and ours.

The plain side is `repose.bench.plain_corenet`: the released computation on the same parameters. A step is loss,
backward pass and Adam on one sample in float32, and on a GPU also in bfloat16.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from repose.bench import Side, comparison, timed
from repose.bench import plain_corenet as plain
from repose.bench.loader import RINGS, SECTORS, sphere
from repose.bench.processes import RETURN_MEMORY, alone, memory_mib
from repose.methods.corenet.network import CoreNet
from repose.methods.losses import edge_loss, reconstruction, weighted_edges
from repose.methods.mapconnet.consistency import unlabelled_loss
from repose.methods.mapconnet.network import MapConNet
from repose.methods.mapconnet.settings import MapConNetTraining

ROUNDS = 3
TITLES = {"corenet": "3D-CoreNet", "mapconnet": "unsupervised MAPConNet"}
SIDES = ("plain", "ours")

Size = tuple[int, int]  # rings and sectors of the sphere that the meshes are made from


def measure(size: Size = (RINGS, SECTORS), rounds: int = ROUNDS, **widths: int) -> dict[str, Any]:
    """Run both sides of each work alternately; memory on a CPU is measured in a separate process per side.

    Args:
        size: the meshes have rings · sectors + 2 vertices.
        rounds: timed steps of each side.
        widths: `width`, `residual_blocks` and `refine_width` of both networks; published widths if not given.

    Returns:
        What `repose.bench` prints, for 3D-CoreNet; ``also`` has the other works. ``best_cpu_seconds`` and
            ``cpu_ratio``, which exist on a CPU only, are also valid on a busy machine. ``error`` is the
        length of the difference of the two gradients, relative to that of the plain one.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precisions = ("float32",) if device.type == "cpu" else ("float32", "bfloat16")
    results = [
        compare_sides(work, size, rounds, widths, device, precision)
        for precision in precisions
        for work in TITLES
    ]
    return results[0] | {"also": results[1:]}


class Step:
    """One side's training step of one work; the same seed gives both sides the same weights and meshes."""

    def __init__(
        self,
        work: str,
        side: str,
        size: Size,
        widths: dict[str, int],
        device: torch.device,
        precision: str = "float32",
    ):
        torch.manual_seed(0)
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
        self.work, self.side, self.settings = work, side, MapConNetTraining(steps=1)
        self.network = _network(work, widths).to(device)
        self.meshes, self.faces = _meshes(size, device)
        self.edges = tuple(x.to(device) for x in weighted_edges(self.faces))
        trainable = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trainable, lr=1e-4, betas=(0.0, 0.9), eps=1e-3)

    def __call__(self) -> None:
        """Compute loss and gradients, and update the parameters."""
        self.optimizer.zero_grad()
        with self.autocast:
            loss = self.loss()
        loss.backward()
        self.optimizer.step()

    def loss(self) -> Tensor:
        """The loss of the published recipe."""
        network, settings = self.network, self.settings
        if isinstance(network, MapConNet):
            other, body, same = self.meshes
            if self.side == "plain":
                return plain.unlabelled_loss(network, other, body, same, self.faces, settings)
            return unlabelled_loss(network, other, body, same, (self.edges[0], self.edges[1]), settings)
        identity, pose, truth = self.meshes
        if self.side == "plain":
            return plain.corenet_loss(network, identity, pose, truth, self.faces, settings)
        out = network(identity, pose).vertices
        edges = edge_loss(out, identity, self.edges[0], self.edges[1])
        return settings.reconstruction_weight * reconstruction(out, truth) + settings.edge_weight * edges

    def gradient(self) -> Tensor:
        """The gradients of the last step in one vector; 0 where there is none."""
        parameters = (p for p in self.network.parameters() if p.requires_grad)
        return torch.cat(
            [(p if p.grad is None else p.grad).flatten() * (p.grad is not None) for p in parameters]
        )


def _network(work: str, widths: dict[str, Any]) -> CoreNet:
    if work == "corenet":
        return CoreNet(faithful=True, **widths)
    halves = {"identity_channels": widths["width"] // 2} if "width" in widths else {}
    return MapConNet(faithful=True, **widths, **halves)


def compare_sides(
    work: str, size: Size, rounds: int, widths: dict[str, int], device: torch.device, precision: str
) -> dict[str, Any]:
    """Time and memory of both sides of one work; the arguments are those of `measure` and `Step`."""
    steps = {side: Step(work, side, size, widths, device, precision) for side in SIDES}
    clocks: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
    error = float("nan")
    for turn in range(rounds):
        for side, step in steps.items():
            clocks[side].append(timed_on(device, step))
        if turn == 0:
            theirs, mine = (steps[side].gradient() for side in SIDES)
            error = float(torch.linalg.vector_norm(mine - theirs) / torch.linalg.vector_norm(theirs))
    sides: dict[str, Side] = {}
    for side in SIDES:
        wall, cpu = zip(*clocks[side], strict=True)
        peak = _peak(steps[side], size, widths)
        sides[side] = {"seconds": statistics.median(wall), "peak_mib": peak}
        if device.type == "cpu":
            sides[side]["best_cpu_seconds"] = min(cpu)
    where, more = f"CPU, {torch.get_num_threads()} threads", {}
    if device.type == "cpu":
        more["cpu_ratio"] = sides["plain"]["best_cpu_seconds"] / sides["ours"]["best_cpu_seconds"]
    else:
        where = torch.cuda.get_device_name()
    vertices = size[0] * size[1] + 2
    what = f"training step of {TITLES[work]}, {vertices} vertices, batch 1, {precision}, {where}"
    return comparison("corenet", what, sides, error, **more)


def timed_on(device: torch.device, work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds of a piece of work, with the GPU synchronised before and after."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    return timed(lambda: (work(), wait()))[1:]


def _peak(step: Step, size: Size, widths: dict[str, int]) -> float:
    """Return the MiB that a step needs beyond weights and optimiser state."""
    if step.meshes[0].is_cuda:
        step.optimizer.zero_grad()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    call = f"peak_alone({step.work!r}, {step.side!r}, {size!r}, {widths!r})"
    return alone("corenet", call, OMP_NUM_THREADS=str(torch.get_num_threads()), **RETURN_MEMORY)


def peak_alone(work: str, side: str, size: Size, widths: dict[str, int]) -> float:
    """Return the peak growth of this process in one step, in MiB; run it in a separate process."""
    step = Step(work, side, size, widths, torch.device("cpu"))
    whole, small = (step.meshes, step.faces, step.edges), _meshes((4, 4), torch.device("cpu"))
    step.meshes, step.faces, step.edges = *small, weighted_edges(small[1])
    step()  # a small step first, so that libraries and the optimiser are initialised
    step.optimizer.zero_grad()
    step.meshes, step.faces, step.edges = whole
    before = memory_mib("VmRSS")
    step()
    return memory_mib("VmHWM") - before


def _meshes(size: Size, device: torch.device) -> tuple[list[Tensor], np.ndarray]:
    """Return three bent ellipsoids (1, V, 3) of one topology, with the vertices in random order."""
    vertices, faces = sphere(*size)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(vertices))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    meshes = []
    for _ in range(3):
        bent = vertices * rng.uniform(0.3, 1, 3) + 0.2 * np.sin(
            3 * vertices[:, [1, 2, 0]] + rng.uniform(0, 6, 3)
        )
        meshes.append(torch.from_numpy(bent[order].astype(np.float32))[None].to(device))
    return meshes, place[faces]
