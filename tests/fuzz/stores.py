"""Readers of what stages make: stores, pictures, recipes and records.

Where there are several files, the name of the damaged one stands in front of its content, `NAME \\0 CONTENT`.
"""

import base64
import io
import json
import random
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import google_crc32c
import numpy as np
from blake3 import blake3
from fuzz.mutate import VALUES, changed_json, mutated
from fuzz.reader import Change, Reader, by_path
from released import body, faces_of

V = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.5]], np.float32)
_INDEX = 16 * -(-122 // 16) + 4  # bytes of the index of a shard
F = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)


def _store(folder: Path) -> list[bytes]:
    import zarr

    path = folder / "meshes.zarr"
    shutil.rmtree(path, ignore_errors=True)
    group = zarr.create_group(path, attributes={"mesh_ids": ["id0_0", "id0_1"]})
    group.create_array("vertices", data=np.stack([V, V]), chunks=(1, 4, 3), compressors=None)
    group.create_array("faces", data=F)
    names = ["zarr.json", "vertices/zarr.json", "faces/zarr.json", "faces/c/0/0"]
    return [name.encode() + b"\0" + (path / name).read_bytes() for name in names]


def _read_store(data: bytes, folder: Path) -> None:
    from repose.store.mesh_store import MeshStore

    name, _, content = data.partition(b"\0")
    with _replaced(folder / "meshes.zarr" / name.decode(), content):
        store = MeshStore(folder / "meshes.zarr")
        store.vertices(np.arange(min(len(store), 4)))


def _images(folder: Path) -> list[bytes]:
    import zarr

    path, rng = folder / "images.zarr", np.random.default_rng(0)
    shutil.rmtree(path, ignore_errors=True)
    group = zarr.create_group(path, attributes={"image_ids": ["a", "b"], "labels": {"kind": ["x", "y"]}})
    imported = group.create_group("imported", attributes={"pairs": [["a", "b"]]})
    for place, name, shape, kind in (
        (group, "image", (2, 8, 6, 3), "uint8"),
        (group, "joints", (2, 18, 3), "float32"),
        (group, "segmentation", (2, 8, 6), "uint8"),
        (imported, "flow", (1, 8, 6, 2), "float32"),
        (imported, "visibility", (1, 8, 6), "uint8"),
    ):
        values = rng.integers(0, 7, shape).astype(kind)
        place.create_array(name, data=values, chunks=(1, *shape[1:]), compressors=None)
    names = ["zarr.json", "image/zarr.json", "joints/zarr.json", "image/c/0/0/0/0", "imported/zarr.json"]
    return [
        name.encode() + b"\0" + (path / name).read_bytes() for name in [*names, "imported/flow/zarr.json"]
    ]


def _read_images(data: bytes, folder: Path) -> None:
    from repose.store.image_store import ImageStore

    name, _, content = data.partition(b"\0")
    with _replaced(folder / "images.zarr" / name.decode(), content):
        store = ImageStore(folder / "images.zarr")
        rows = range(min(len(store), 4))
        store.images(rows), store.joints(rows), store.segmentation(rows), store.labels(rows)
        for source, target in store.pairs:
            store.flow(store.index_of(source), store.index_of(target))


PAIRS = [["a", "b"], ["b", "a"], ["c", "a"]]


def _predictions(folder: Path) -> list[bytes]:
    import zarr

    path, rng = folder / "predictions.zarr", np.random.default_rng(0)
    shutil.rmtree(path, ignore_errors=True)
    group = zarr.create_group(path).create_group("unseen", attributes={"pairs": PAIRS})
    for name, shape, kind in (("image", (3, 8, 6, 3), "uint8"), ("flow", (3, 8, 6, 2), "float16")):
        group.create_array(name, data=rng.integers(0, 7, shape).astype(kind), chunks=(2, *shape[1:]))
    names = ["zarr.json", "image/zarr.json", "flow/zarr.json", "image/c/0/0/0/0", "flow/c/1/0/0/0"]
    names = [f"unseen/{name}" for name in names]
    return [name.encode() + b"\0" + (path / name).read_bytes() for name in names]


def _read_predictions(data: bytes, folder: Path) -> None:
    from repose.predict.read_images import generated_images

    name, _, content = data.partition(b"\0")
    with _replaced(folder / "predictions.zarr" / name.decode(), content):
        for size in ((8, 6), None):
            for array in generated_images(folder / "predictions.zarr", "unseen", PAIRS, size).values():
                assert len(array.rows(1, 32)) == 2


def _neighbours(folder: Path) -> list[bytes]:
    import torch

    from repose.methods.npr.neighbour_store import write_neighbours
    from repose.methods.npr.neighbours import Neighbours

    path, points = folder / "neighbours.zarr", torch.from_numpy(np.tile(V, (1, 5, 1)))
    shutil.rmtree(path, ignore_errors=True)
    near = Neighbours.of(points + torch.rand(points.shape, generator=torch.Generator().manual_seed(0)), 12, 6)
    write_neighbours(path, [(bytes([k]) * 16, near) for k in range(2)], 2, 12, 6)
    names = [
        "zarr.json",
        "keys/zarr.json",
        "keys/c/0/0",
        "faces/zarr.json",
        "faces/c/0/0/0",
        "centres/zarr.json",
    ]
    return [name.encode() + b"\0" + (path / name).read_bytes() for name in [*names, "centres/c/0/0"]]


def _read_neighbours(data: bytes, folder: Path) -> None:
    from repose.methods.npr.neighbour_store import NeighbourStore

    name, _, content = data.partition(b"\0")
    with _replaced(folder / "neighbours.zarr" / name.decode(), content):
        store = NeighbourStore(folder / "neighbours.zarr", 12, 6)
        for near in filter(None, (store.find(bytes([k]) * 16) for k in range(2))):
            assert all(x.min() >= 0 and x.max() < 20 for x in near)


def _picture(folder: Path) -> list[bytes]:
    from repose.images.picture import Geometry, Picture

    size = 8, 6
    plane, camera = np.zeros(size, np.float32), np.array([9.0, 3, 4])
    geometry = Geometry(plane.astype(np.int32), np.zeros((*size, 2), np.uint16), plane, V, camera)
    image = (np.arange(144) % 251).astype(np.uint8).reshape(*size, 3)
    whole = Picture(image, np.zeros((18, 3), np.float32), plane.astype(np.uint8), geometry)
    found = dict(zip(("a.png", "a.npz"), whole.encode(), strict=True))
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return [name.encode() + b"\0" + content for name, content in found.items()]


def _read_picture(data: bytes, folder: Path) -> None:
    from repose.images.picture import Picture

    name, _, content = data.partition(b"\0")
    with _replaced(folder / name.decode(), content):
        assert len(Picture.read(folder / "a.png").digest) == 64


def _recipe(folder: Path) -> list[bytes]:
    from dataclasses import fields

    from repose.synthetic.open_animal.recipe import Recipe

    written = {f.name: np.arange(6.0).reshape(2, 3) for f in fields(Recipe)} | {
        "styles": np.array(["a", "b"])
    }
    found = []
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, format=np.array(Recipe.FORMAT), **written)  # type: ignore[operator]
        found.append(out.getvalue())
    return found


def _read_recipe(path: Path) -> None:
    from repose.synthetic.open_animal.recipe import Recipe

    Recipe.read(path)


class _replaced:
    """A file has other content for a while."""

    def __init__(self, path: Path, content: bytes):
        self.path, self.content = path, content

    def __enter__(self) -> None:
        self.before = self.path.read_bytes()
        self.path.write_bytes(self.content)

    def __exit__(self, *error: object) -> None:
        self.path.write_bytes(self.before)


def _in_named(change: Callable[[random.Random, bytes], bytes]) -> Change:
    """Damages the content and never the name in front of it."""

    def changed(draw: random.Random, seeds: list[bytes]) -> bytes:
        name, _, content = draw.choice(seeds).partition(b"\0")
        return name + b"\0" + change(draw, content)

    return changed


def _any(draw: random.Random, content: bytes) -> bytes:
    is_json = content.startswith(b"{")
    if is_json and draw.random() < 0.5:
        return changed_json(draw, content)
    return mutated(draw, [content], is_json)


def _distances(folder: Path) -> list[bytes]:
    from repose.gih.scale import compute_dataset

    path = folder / "gih.zarr"
    shutil.rmtree(path, ignore_errors=True)
    compute_dataset({"m": lambda: (body(1, 1, 122).astype(float), faces_of(122))}, path)
    return [name.encode() + b"\0" + place.read_bytes() for name, place in _files_of(path).items()]


def _files_of(path: Path) -> dict[str, Path]:
    """The files of a store of distances under names that do not follow from the code, as those of folders do."""
    matrix = next(p for p in path.iterdir() if len(p.name) == 32)
    order = next(p for p in path.iterdir() if p.name.startswith("order-"))
    files = {"index": path / "zarr.json", "matrix": matrix / "zarr.json", "order": order / "zarr.json"}
    return files | {"shard": matrix / "c" / "0" / "0", "ranks": order / "c" / "0"}


def _read_signed(data: bytes, folder: Path) -> None:
    """The same, of a shard with the digests of its bands made anew."""
    from repose.gih.layout import ATTRIBUTES, seal

    name, _, content = data.partition(b"\0")
    file = _files_of(folder / "gih.zarr")["matrix"]
    metadata = json.loads(file.read_bytes())
    if name == b"shard" and len(content) > _INDEX:
        index = np.frombuffer(content[-_INDEX:-4], "<u8").reshape(-1, 2).tolist()
        bands = b"".join(blake3(content[offset : offset + length]).digest() for offset, length in index)
        metadata["attributes"][ATTRIBUTES]["bands"] = base64.b64encode(bands).decode()
    with _replaced(file, seal(metadata)):
        _read_distances(data, folder)


def _resealed(draw: random.Random, content: bytes) -> bytes:
    """Damage under a digest, or a checksum, that holds all the same."""
    from repose.gih.layout import ATTRIBUTES, _digest

    if not content.startswith(b"{"):
        return _recounted(draw, content)
    try:
        tree = json.loads(_any(draw, content))
        own = tree["attributes"][ATTRIBUTES]
        if draw.random() < 0.5:
            own[draw.choice(list(own))] = deepcopy(draw.choice(VALUES))
        own["digest"] = _digest(tree)
        return json.dumps(tree).encode()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return _any(draw, content)


def _recounted(draw: random.Random, content: bytes) -> bytes:
    if draw.random() < 0.3 or len(content) < _INDEX:
        return _any(draw, content)
    data = bytearray(content)
    index = np.frombuffer(bytes(data[-_INDEX:-4]), "<u8").reshape(-1, 2)
    offset, length = map(int, index[draw.randrange(len(index))])
    if offset + length > len(data) or length <= 4:  # a file of another kind
        return _any(draw, content)
    for _ in range(draw.choice([1, 1, 3, 10])):
        at = draw.randrange(min(length - 4, draw.choice([16, 40, 4000])))
        data[offset + at] = draw.choice([0, 255, draw.randrange(256)])
    crc = google_crc32c.value(bytes(data[offset : offset + length - 4]))
    data[offset + length - 4 : offset + length] = crc.to_bytes(4, "little")
    return bytes(data)


def _read_distances(data: bytes, folder: Path) -> None:
    from repose.gih.reader import GihReader

    name, _, content = data.partition(b"\0")
    with _replaced(_files_of(folder / "gih.zarr")[name.decode()], content):
        for cache in (0, 1 << 20):
            reader = GihReader(folder / "gih.zarr", cache)
            for mesh in reader.meshes[:2]:
                reader.verify(mesh)
                reader.block(mesh, [0, 5, 121])


def _records(folder: Path) -> list[bytes]:
    """A manifest and its history, of an artefact that was made from another."""
    from repose.provenance.manifest import Recorder, history_path, manifest_path
    from repose.provenance.owner import mark

    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    mark(results)
    for name in ("b", "a"):
        (results / f"{name}.bin").write_text(name)
        (results / f"{name}.zarr" / "c").mkdir(parents=True)
        (results / f"{name}.zarr" / "c" / "0").write_text(name)
        recorder = Recorder("store", "c0de", {"medium": "meshes", "method": {"width": 8}}, 3)
        if name == "a":
            recorder.uses("b", manifest_path(results / "b.bin"))
        recorder.seal(
            manifest_path(results / f"{name}.bin"),
            [results / f"{name}.bin", results / f"{name}.zarr"],
            {"rows": 1},
        )
    manifest = manifest_path(results / "a.bin")
    return [manifest.read_bytes() + b"\0" + history_path(manifest).read_bytes()]


def _forged(draw: random.Random, seeds: list[bytes]) -> bytes:
    """One of the two damaged, or other values in both, signed anew."""
    from repose.provenance.manifest import _canonical, _digest

    content, history = draw.choice(seeds).split(b"\0")
    how = draw.random()
    if how < 0.2:
        return _any(draw, content).replace(b"\0", b"") + b"\0" + history
    if how < 0.4:
        return content + b"\0" + _any(draw, history).replace(b"\0", b"")
    one, two = (json.loads(changed_json(draw, text, (0, 1, 1, 2))) for text in (content, history))
    if draw.random() < 0.3:
        one["stage"] = draw.choice(["tables", "score", "score-renders", "predict", "train", "raw"])
    two["content"] = _digest(one)
    two["sha256"] = _digest({key: value for key, value in two.items() if key != "sha256"})
    return b"\0".join(_canonical(value).encode() for value in (one, two))


def _read_records(data: bytes, folder: Path) -> None:
    from rich.console import Console

    from repose.audit.audit import audit
    from repose.audit.show import as_json, show
    from repose.provenance.manifest import history_path, verify

    content, _, history = data.partition(b"\0")
    manifest = folder / "results" / "a.manifest.json"
    with _replaced(manifest, content), _replaced(history_path(manifest), history):
        found = audit(folder / "results" / "a.bin", rescore=True)
        show(found, Console(file=io.StringIO()))
        assert json.dumps(as_json(found)) and found.digest
        verify(manifest)


STORES = (
    Reader("store", _store, _read_store, change=_in_named(_any)),
    Reader("images", _images, _read_images, change=_in_named(_any)),
    Reader("predictions", _predictions, _read_predictions, change=_in_named(_any)),
    Reader("neighbours", _neighbours, _read_neighbours, change=_in_named(_any)),
    Reader("picture", _picture, _read_picture, change=_in_named(_any)),
    Reader("recipe", _recipe, by_path("raw.npz", _read_recipe)),
    Reader("distances", _distances, _read_distances, change=_in_named(_any)),
    Reader("sealed-distances", _distances, _read_signed, change=_in_named(_resealed)),
    Reader("records", _records, _read_records, change=_forged),
)
