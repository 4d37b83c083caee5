"""The bench `convert`: raw .obj files of full-size bodies, converted one by one with trimesh or by the stage."""

import hashlib
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repose.bench import Side, comparison, peak_mib, timed
from repose.bench.bodies import body
from repose.bench.obj import read_plainly
from repose.cluster import Cluster
from repose.convert.meshes import convert
from repose.mesh.formats.io import read_mesh, write_obj
from repose.mesh.mesh import Mesh
from repose.provenance.making import making
from repose.provenance.manifest import peak_memory_mib
from repose.raw.source import Item
from repose.specs import Spec
from repose.store.meshes import run as store

VERTICES, MESHES, FEW = 6890, 320, 16
CLUSTER = Cluster(2)


@dataclass(frozen=True)
class _Folder:
    """Raw meshes that are .obj files in one folder."""

    folder: Path
    licence: str = "own"

    def items(self) -> list[Item]:
        files = sorted(self.folder.iterdir())
        return [Item(k, 0, hashlib.sha256(f.read_bytes()).hexdigest(), f.name) for k, f in enumerate(files)]

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        for item in items:
            yield read_mesh(self.folder / item.source)


def measure(meshes: int = MESHES, vertices: int = VERTICES) -> dict[str, Any]:
    """Convert a few files both ways, in seconds per mesh; then all of them through `convert` and `store`.

    Returns:
        What `repose.bench` prints, and ``stages``: seconds, CPU seconds and resident memory (MiB, the most so far) of
        convert, store, convert with nothing changed, and convert with one file changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root / "few", FEW, vertices)
        sides: dict[str, Callable[[], object]] = {
            "plain": lambda: _plainly(root / "few", root / "plain"),
            "ours": lambda: _afresh(root / "few", root / "ours"),
        }
        found: dict[str, Side] = {}
        for name, side in sides.items():
            memory = peak_mib(side)  # the first run compiles
            found[name] = {"seconds": timed(side)[1] / FEW, "peak_mib": memory}
        error = max(_apart(path, root / "plain" / path.name) for path in (root / "few").iterdir())
        _write(root / "all" / "raw", meshes, vertices)
        _write(root / "changed", 1, vertices, size=2.0)
        # In a separate process, because making the bodies took more memory than converting them.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            stages = pool.submit(_stages, root / "all", root / "changed").result()
    size = f"one of {FEW} .obj files of {vertices} vertices, on {CLUSTER.workers} threads"
    return comparison("convert", size, found, error) | {"meshes": meshes, "stages": stages}


def _stages(root: Path, changed: Path) -> dict[str, dict[str, float]]:
    def again() -> None:
        _convert(root / "raw", root)

    stages = {"convert": _used(again)}
    stages["store"] = _used(
        lambda: store(root / "catalog.parquet", root / "obj", root / "meshes.zarr", CLUSTER)
    )
    stages["nothing changed"] = _used(again)
    shutil.copytree(changed, root / "raw", dirs_exist_ok=True)
    return stages | {"one changed": _used(again)}


def _write(folder: Path, meshes: int, vertices: int, size: float = 1.0) -> None:
    points, faces = body(vertices)
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(meshes):
        write_obj(folder / f"{k:05}.obj", Mesh(points * (size + 1e-4 * k), faces))


def _plainly(raw: Path, out: Path) -> None:
    """Do what a simple script does: read, check, write."""
    out.mkdir(exist_ok=True)
    for path in raw.iterdir():
        mesh = read_plainly(path)
        assert mesh.is_watertight and mesh.volume > 0
        (out / path.name).write_text(str(mesh.export(file_type="obj", digits=9)))


def _afresh(raw: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    _convert(raw, out)


def _convert(raw: Path, out: Path) -> None:
    spec = Spec("convert", (), {})
    with making(spec, out / "obj", {}, keep=0) as meshes:
        with making(spec, out / "catalog.parquet", {}, keep=0) as catalog:
            convert(_Folder(raw), "bench", CLUSTER, catalog, meshes)


def _apart(one: Path, other: Path) -> float:
    return float(np.abs(read_mesh(one).vertices - read_mesh(other).vertices).max())


def _used(work: Callable[[], object]) -> Side:
    _, wall, cpu = timed(work)
    return {"seconds": wall, "cpu_seconds": cpu, "resident_mib": peak_memory_mib()}
