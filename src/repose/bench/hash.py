"""The bench `hash`: the cost of verifying a store, by sha256 of all of it, as before lists of BLAKE3, and by ours.

The stores are synthetic, with the shape and the sizes of real ones: packed meshes, and distances of as many bytes.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import numpy as np
import zarr

from repose import specs
from repose.bench import Side, comparison, peak_mib, timed
from repose.config.models import Gih
from repose.gih import layout, stage, store
from repose.gih.convention import METRES
from repose.gih.order import order_id
from repose.provenance.listing import blake3_of_file, files_in, fingerprint
from repose.provenance.manifest import Recorder, manifest_path, verify
from repose.store.mesh_store import MeshStore
from repose.store.pack import CHUNK_BYTES

VERTICES = 6890
READ = 0.1  # share of the meshes that a stage reads
BITS = 1  # bits of noise in a distance; a matrix has 15.5 MB then, a real one 14.4


class _Work(NamedTuple):
    """The same work done in two ways; both return a number that must be equal."""

    what: str
    plain: Callable[[], float]
    ours: Callable[[], float]


def measure(gigabytes: float = 1.0, folder: Path | None = None, vertices: int = VERTICES) -> dict[str, Any]:
    """Seal packed meshes, read a tenth of them, gather distances.

    Args:
        gigabytes: gigabytes of each store; there is one at a time.
        folder: folder for the stores; None: that of temporary files.
        vertices: number of vertices of a mesh.

    Returns:
        What `repose.bench` prints of sealing, the other two under `also`; `cpu_seconds` and `gb_per_cpu_second` of
        each side besides.
    """
    size = int(gigabytes * 1e9)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        packed, distances = Path(place, "meshes.zarr"), Path(place, "gih.zarr")
        _pack(packed, size, vertices)
        works = [_sealing(packed), _reading(packed)]
        results = [_compared(work, packed) for work in works]
        shutil.rmtree(packed)
        parts = _distances(distances, size, vertices)
        results.append(_compared(_gathering(distances, parts), distances))
    return results[0] | {"also": results[1:]}


def _sealing(path: Path) -> _Work:
    return _Work(
        "hash all, to seal it", lambda: _sha256_of_all(path), lambda: fingerprint(path).stated["bytes"]
    )


def _reading(path: Path) -> _Work:
    Recorder("store", "", {}).seal(manifest_path(path), [path])
    count = len(MeshStore(path))
    some = np.arange(max(1, int(count * READ)))

    def plain() -> float:
        _sha256_of_all(path)
        meshes = zarr.open_array(path / "vertices", mode="r")
        return _sum(lambda rows: np.asarray(meshes[rows[0] : rows[-1] + 1]), some)

    def ours() -> float:
        verify(manifest_path(path), hashed=False)
        return _sum(MeshStore(path).vertices, some)

    return _Work(f"read {READ:.0%} of the meshes", plain, ours)


def _sum(read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> float:
    parts = np.array_split(rows, -(-len(rows) // 100))
    return float(sum(read(part).sum(dtype=np.float64) for part in parts))


def _gathering(root: Path, parts: list[Path]) -> _Work:
    settings = Gih(parts=len(parts))
    assert specs.gih(settings).code  # computed once for the whole process

    def plain() -> float:
        """Read all bytes for their checksums, and again for sha256."""
        for name, _ in files_in(root):
            google_crc32c.value((root / name).read_bytes())
        return _sha256_of_all(root)

    def ours() -> float:
        stage.gather(settings, parts, root)
        return float(verify(manifest_path(root), hashed=False).content["files"][root.name]["bytes"])

    return _Work("gather distances", plain, ours)


def _sha256_of_all(folder: Path) -> float:
    """Compute what manifests of format 2 stated for a folder, and return the bytes read."""
    whole, total = hashlib.sha256(), 0
    for name, size in files_in(folder):
        with (folder / name).open("rb") as stream:
            whole.update(f"{name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
        total += size
    return float(total)


def _compared(work: _Work, path: Path) -> dict[str, Any]:
    """Run each side once for its time, ours first, so that the disk cache helps the other; and once for its memory."""
    size, count = sum(size for _, size in files_in(path)), sum(1 for _ in files_in(path))
    found: dict[str, float] = {}
    sides: dict[str, Side] = {}
    for key, side in (("ours", work.ours), ("plain", work.plain)):
        found[key], wall, cpu = timed(side)
        sides[key] = {"seconds": wall, "cpu_seconds": cpu, "gb_per_cpu_second": size / 1e9 / cpu}
        sides[key]["peak_mib"] = peak_mib(side)
    error = abs(found["plain"] - found["ours"]) / max(abs(found["plain"]), 1)
    cpu_ratio = sides["plain"]["cpu_seconds"] / sides["ours"]["cpu_seconds"]
    what = f"{work.what}: {size / 1e9:.2f} GB in {count} files"
    return comparison("hash", what, sides, error, cpu_ratio=cpu_ratio)


def _pack(path: Path, size: int, vertices: int) -> None:
    """Write random meshes, in chunks like those of `repose.store.pack`."""
    count, rng = max(1, size // (12 * vertices)), np.random.default_rng(0)
    per_chunk = max(1, min(count, CHUNK_BYTES // (12 * vertices)))
    group = zarr.create_group(path, attributes={"mesh_ids": [f"id{k}_0" for k in range(count)]})
    array = group.create_array(
        "vertices",
        shape=(count, vertices, 3),
        chunks=(per_chunk, vertices, 3),
        dtype="float32",
        compressors=None,
    )
    for start in range(0, count, per_chunk):
        some = min(per_chunk, count - start)
        array[start : start + some] = rng.random((some, vertices, 3), np.float32)
    group.create_array("faces", data=np.zeros((2 * vertices - 4, 3), np.int32))


def _distances(root: Path, size: int, vertices: int) -> list[Path]:
    """Write copies of one matrix under separate keys, and two parts that state them."""
    topology, ranks = "0" * 32, np.arange(vertices, dtype=np.int32)
    store.create(root, METRES)
    store.write_order(root, topology, ranks)
    steps = np.abs(ranks[:, None] - ranks[None]) + np.random.default_rng(0).integers(
        0, 1 << BITS, (vertices, vertices)
    )
    matrix = steps.astype(np.float32)
    info = layout.MeshInfo(
        "f" * 32,
        vertices,
        topology,
        order_id(ranks),
        layout.scale_of(matrix),
        METRES,
        1.0,
        "heat",
        "cpu",
        "",
        1,
    )
    store.write_matrix(root, info, matrix)
    first = root / info.key
    keys = [f"{k:032x}" for k in range(max(2, size // (first / "c" / "0" / "0").stat().st_size))]
    for key in keys:
        shutil.copytree(first, root / key)
        metadata = json.loads((first / "zarr.json").read_bytes())
        metadata["attributes"][layout.ATTRIBUTES]["key"] = key
        (root / key / "zarr.json").write_bytes(layout.seal(metadata))
    shutil.rmtree(first)
    return [_part(root, keys[number::2], number) for number in range(2)]


def _part(root: Path, keys: list[str], number: int) -> Path:
    file = root.with_name(f"part{number}.json")
    metadata = {key: blake3_of_file(root / key / "zarr.json") for key in keys}
    file.write_text(
        json.dumps({"meshes": {key: key for key in keys}, "metadata": metadata}), encoding="utf-8"
    )
    Recorder("gih", "", {}).seal(manifest_path(file), [file])
    return file
