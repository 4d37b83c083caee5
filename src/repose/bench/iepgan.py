"""The bench `iepgan`: where a training step of IEP-GAN spends its time, how it reads distances, and its memory.

The plain way of reading is the released one: the whole matrix of every mesh of the batch, from a pickle.
"""

import pickle
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.array_pickle import read_pickle
from repose.bench import compare
from repose.bench.bodies import body
from repose.bench.processes import alone
from repose.convert.bodies import write_bodies
from repose.data.meshes import TrainingData, Triples, centred
from repose.gih import store
from repose.gih.compute import mesh_into_store
from repose.gih.convention import METRES
from repose.methods.build import build
from repose.methods.iepgan import stretch
from repose.methods.iepgan.recipe import IepGanRecipe
from repose.methods.iepgan.settings import AdversarialTraining, IepGanSettings
from repose.provenance.manifest import peak_memory_mib
from repose.split.triples import Meshes, draw_triples
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack

BATCH, POSES = 4, 10
# distinct bodies and matrices, which the 100 meshes share; reading does not benefit, as it caches none
SHAPES = 10

Target = Literal["patch", "full-block"]
TARGETS: tuple[Target, ...] = get_args(Target)
Part = dict[str, float]


def measure(
    vertices: int = 6890, patch_vertices: int = 600, steps: int = 3, meshes: int = 100
) -> dict[str, Any]:
    """Train a few steps of small networks on many meshes of one template.

    Args:
        vertices: number of vertices of a mesh.
        patch_vertices: least size of the four patches of a step.
        steps: measured steps, after one that is not measured.
        meshes: a multiple of 50, at least 100; the training is repeated with a fifth of them.

    Returns:
        What `repose.bench` prints, for the distances of one step; beside it

        - `steps`: for each target the median CPU seconds of a step's parts, and `read_share`, the share of both stores;
        - `stretch`: seconds and MiB of the sparse system of one mesh;
        - `peak_mib`: of a process that trains, by number of meshes.
    """
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for count in (meshes, meshes // 5):
            _prepare(root, vertices, count)
        data = _data(root, meshes)
        parts = {target: _parts(_task(data, patch_vertices, target), steps) for target in TARGETS}
        result = _reading(root, data, patch_vertices)
        pair = [centred(data.store.vertices(np.array([k]))) for k in (0, meshes - 1)]
        peaks = {
            count: alone("iepgan", f"peak({str(root)!r}, {count}, {patch_vertices})")
            for count in (meshes // 5, meshes)
        }
    return result | {"steps": parts, "stretch": _stretch(*pair), "peak_mib": peaks}


def _prepare(root: Path, vertices: int, meshes: int) -> None:
    """Pack stretched bodies, and compute missing distances."""
    v, faces = body(vertices)
    rng = np.random.default_rng(0)
    shapes = [(v * rng.uniform(0.9, 1.1, 3)).astype(np.float32) for _ in range(SHAPES)]
    order = list(product(range(meshes // POSES), range(POSES)))

    def bodies() -> Iterator[tuple[int, int, NDArray[np.float32]]]:
        for identity, pose in order:
            yield identity, pose, shapes[(identity + pose) % SHAPES]

    rows = write_bodies(bodies(), faces, root / f"obj{meshes}", "bench", "own")
    pack(rows, root / f"obj{meshes}", root / f"{meshes}.zarr")
    store.create(root / "gih.zarr", METRES)
    keys = [mesh_into_store(root / "gih.zarr", "m", shape, faces, METRES).key for shape in shapes]
    store.commit(root / "gih.zarr", {f"id{i}_{p}": keys[(i + p) % SHAPES] for i, p in order})


def _data(root: Path, meshes: int) -> TrainingData:
    packed = MeshStore(root / f"{meshes}.zarr")
    identities = range(meshes // POSES)
    grid = Meshes(set(product(identities, range(POSES))))
    triples = Triples(packed, draw_triples(grid, identities, range(POSES), meshes, "train", 0))
    return TrainingData(packed, triples, triples, given={"gih": root / "gih.zarr"})


def _task(data: TrainingData, patch_vertices: int, target: Target) -> IepGanRecipe:
    """Return a training on all vertices, without Lightning."""
    training = AdversarialTraining(
        steps=1000, batch=BATCH, patch_vertices=patch_vertices, target=target,
        discriminator_width=64, cooccurrence_width=64,
    )  # fmt: skip
    method = IepGanSettings(architecture="iepgan", width=64, generator_width=48, training=training)
    torch.manual_seed(0)
    task: Any = IepGanRecipe(method, build(method), data, seed=0)
    optimizers, rates = task.configure_optimizers()
    task.optimizers, task.lr_schedulers = lambda: optimizers, lambda: rates
    task.manual_backward = torch.Tensor.backward
    return task


def _parts(task: IepGanRecipe, steps: int) -> Part:
    # From 1: the penalties of the discriminators are computed in every sixteenth step, including step 0.
    found = [_step(task, number) for number in range(1, steps + 2)][1:]
    median = {key: float(np.median([part[key] for part in found])) for key in found[0]}
    return median | {"read_share": (median["mesh_read"] + median["gih_read"]) / median["step"]}


def _step(task: IepGanRecipe, number: int) -> Part:
    """Return CPU seconds of one step: reading meshes, reading distances, distances with gradient, and the rest."""
    seconds = {"mesh_read": 0.0, "gih_read": 0.0, "gih": 0.0}
    intrinsic = task.intrinsic

    def distances(transfer: Tensor, *arguments: Any) -> Tensor:
        """Compute the same loss and its gradient at once, so that its time is measured."""
        leaf, before = transfer.detach().requires_grad_(), seconds["gih_read"]
        with _clock(seconds, "gih"):
            loss = intrinsic(leaf, *arguments)
            (gradient,) = torch.autograd.grad(loss, leaf)
        seconds["gih"] -= seconds["gih_read"] - before
        return loss.detach() + (gradient * (transfer - transfer.detach())).sum()

    start = time.process_time()
    with _clock(seconds, "mesh_read"):
        pairs = next(iter(task.batches(number, number + 1)))
    with patch.object(task, "intrinsic", distances):
        if task.gih is None:
            task.training_step(pairs, number)
        else:
            with patch.object(task.gih, "blocks", _clock(seconds, "gih_read")(task.gih.blocks)):
                task.training_step(pairs, number)
    whole = time.process_time() - start
    return seconds | {"networks": whole - sum(seconds.values()), "step": whole}


@contextmanager
def _clock(seconds: Part, name: str) -> Iterator[None]:
    """Add the CPU seconds of a block, or of decorated calls, to one of the `seconds`."""
    start = time.process_time()
    yield
    seconds[name] += time.process_time() - start


def _reading(root: Path, data: TrainingData, patch_vertices: int) -> dict[str, Any]:
    """Compare reading the distances of one step: blocks of the store against whole matrices from pickles."""
    task = _task(data, patch_vertices, "full-block")
    reader, view = task.gih, task.views.draw(task.errors.numpy(), np.random.default_rng(0))
    assert reader is not None
    count, names = data.store.shape[1], data.store.mesh_ids[:BATCH]
    for name in names:
        with (root / f"{name}.pkl").open("wb") as file:
            pickle.dump(reader.rows(name, np.arange(count)), file, protocol=4)

    def ours() -> NDArray[np.float32]:
        return np.stack([reader.blocks(names, [p] * BATCH) for p in view.whole], axis=1)

    def plain() -> NDArray[np.float32]:
        whole = [read_pickle(root / f"{name}.pkl").astype(np.float32) for name in names]
        return np.stack([[matrix[p][:, p] for p in view.whole] for matrix in whole])

    error = float(np.abs(plain() - ours()).max())
    size = f"{len(data.store)} meshes of {count} vertices, {view.whole.shape} patches, batch of {BATCH}"
    return compare("iepgan", size, plain, ours, error, repeats=3)


def _stretch(identity: Tensor, pose: Tensor) -> dict[str, float]:
    """Return the CPU seconds of the parts of one mesh's stretch, and the MiB of its sparse factor."""
    seconds = dict.fromkeys(("nearest", "fit", "factor", "solve"), 0.0)
    with _clock(seconds, "nearest"):
        near = stretch.nearest(identity, pose)
    with _clock(seconds, "fit"):
        found = stretch.measured_stretch(identity, pose, near)
    with _clock(seconds, "factor"):
        factor = stretch.factorised(near[0].numpy())
    with patch.object(stretch, "factorised", lambda near: factor), _clock(seconds, "solve"):
        stretch.stretched(pose, found, near)
    return seconds | {"factor_mib": factor.nnz * 12 / 2**20}  # float64 entries, their rows in int32


def peak(root: str, meshes: int, patch_vertices: int) -> float:
    """Read every mesh and its distances on a patch, and train two steps; return the peak MiB of the process."""
    data = _data(Path(root), meshes)
    task = _task(data, patch_vertices, "full-block")
    assert task.gih is not None
    for row, name in enumerate(data.store.mesh_ids):
        data.store.vertices(np.array([row]))
        task.gih.block(name, task.views.table.patch(0))
    for number in range(2):  # the first step has the penalties
        _step(task, number)
    return peak_memory_mib()
