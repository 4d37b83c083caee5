"""`repose bench iepgan`: where a training step of IEP-GAN spends its time, and how it reads distances.

The plain way to read is the released one: the whole matrix of every mesh of the batch, from a pickle.
"""

import pickle
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from repose.bench import compare
from repose.bench.bodies import body
from repose.config.methods import AdversarialTraining, IepGan
from repose.convert.bodies import write_bodies
from repose.gih import store as gih_store
from repose.gih.compute import mesh_into_store
from repose.gih.import_pickles import unpickle_array
from repose.gih.solver import METRES
from repose.models import build
from repose.provenance.manifest import peak_memory_mib
from repose.split.triples import Meshes, draw_triples
from repose.store.meshes import MeshStore
from repose.store.pack import pack
from repose.train.batches import TrainingData, Triples
from repose.train.tasks.iepgan import IepganTask

IDENTITIES, POSES, BATCH = 10, 10, 4
SHAPES = 4  # distinct matrices: the others of the 100 meshes share them, which reading does not notice

Part = dict[str, float]


def measure(vertices: int = 6890, patch_vertices: int = 600, steps: int = 3) -> dict[str, Any]:
    """Train a few steps on 100 meshes with distances read from the store.

    Returns:
        What `repose.bench` prints, for the distances of one step; `step` has the median seconds of a step's parts,
        and `peak_memory_mib` of the whole process, preparation included.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        data = _data(root, vertices)
        task = _task(data, patch_vertices)
        parts = [_step(task, number) for number in range(steps)]
        reader, view = task.gih, task.views.draw(task.errors.numpy(), np.random.default_rng(0))
        assert reader is not None
        names = data.store.mesh_ids[:BATCH]
        for name in names:
            with (root / f"{name}.pkl").open("wb") as file:
                pickle.dump(reader.rows(name, np.arange(vertices)), file, protocol=4)

        def ours() -> NDArray[np.float32]:
            return np.stack([reader.blocks(names, [p] * BATCH) for p in view.whole], axis=1)

        def plain() -> NDArray[np.float32]:
            whole = []
            for name in names:
                with (root / f"{name}.pkl").open("rb") as file:
                    whole.append(unpickle_array(file).astype(np.float32))
            return np.stack([[matrix[p][:, p] for p in view.whole] for matrix in whole])

        error = float(np.abs(plain() - ours()).max())
        size = f"{IDENTITIES * POSES} meshes of {vertices} vertices, {view.whole.shape} patches, batch of {BATCH}"
        result = compare("iepgan", size, plain, ours, error, repeats=3)
    step = {key: float(np.median([part[key] for part in parts])) for key in parts[0]}
    return result | {"step": step, "peak_memory_mib": peak_memory_mib()}


def _data(root: Path, vertices: int) -> TrainingData:
    v, faces = body(vertices)
    rng = np.random.default_rng(0)
    shapes = [(v * rng.uniform(0.9, 1.1, 3)).astype(np.float32) for _ in range(SHAPES)]

    def bodies() -> Iterator[tuple[int, int, NDArray[np.float32]]]:
        for identity, pose in product(range(IDENTITIES), range(POSES)):
            yield identity, pose, shapes[(identity + pose) % SHAPES]

    rows = write_bodies(bodies(), faces, root / "obj", "bench", "own")
    pack(rows, root / "obj", root / "meshes.zarr")
    store = MeshStore(root / "meshes.zarr")
    gih_store.create(root / "gih.zarr", METRES)
    keys = [mesh_into_store(root / "gih.zarr", "m", shape, faces, METRES).key for shape in shapes]
    order = product(range(IDENTITIES), range(POSES))
    gih_store.commit(root / "gih.zarr", {f"id{i}_{p}": keys[(i + p) % SHAPES] for i, p in order})
    grid = Meshes(set(product(range(IDENTITIES), range(POSES))))
    triples = Triples(store, draw_triples(grid, range(IDENTITIES), range(POSES), 100, "train", 0))
    return TrainingData(store, triples, triples, gih=root / "gih.zarr")


def _task(data: TrainingData, patch_vertices: int) -> IepganTask:
    """A training of the demo's widths, without Lightning around it."""
    training = AdversarialTraining(
        steps=1000, batch=BATCH, patch_vertices=patch_vertices, target="full-block",
        discriminator_width=64, cooccurrence_width=64,
    )  # fmt: skip
    method = IepGan(architecture="iepgan", width=64, generator_width=48, training=training)
    torch.manual_seed(0)
    task = IepganTask(method, build(method), data, seed=0)
    optimizers, rates = task.configure_optimizers()
    alone = {
        "optimizers": lambda: optimizers,
        "lr_schedulers": lambda: rates,
        "manual_backward": torch.Tensor.backward,
    }
    for name, function in alone.items():
        setattr(task, name, function)
    return task


def _step(task: IepganTask, number: int) -> Part:
    """Seconds of one step: reading meshes, reading distances, computing distances forward, and all the rest."""
    seconds = {"data": 0.0, "gih_read": 0.0, "gih_forward": 0.0}
    reader, intrinsic = task.gih, task.intrinsic
    assert reader is not None
    plain_blocks = reader.blocks

    def blocks(*arguments: Any) -> Any:
        start = time.perf_counter()
        found = plain_blocks(*arguments)
        seconds["gih_read"] += time.perf_counter() - start
        return found

    def timed_intrinsic(*arguments: Any) -> Any:
        start, read = time.perf_counter(), seconds["gih_read"]
        loss = intrinsic(*arguments)
        seconds["gih_forward"] += time.perf_counter() - start - (seconds["gih_read"] - read)
        return loss

    start = time.perf_counter()
    pairs = next(iter(task.batches(number, number + 1)))
    seconds["data"] = time.perf_counter() - start
    with patch.object(reader, "blocks", blocks), patch.object(task, "intrinsic", timed_intrinsic):
        task.training_step(pairs, number)
    whole = time.perf_counter() - start
    return seconds | {"networks_and_backward": whole - sum(seconds.values()), "step": whole}
