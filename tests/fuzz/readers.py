"""The table of readers of foreign files: sound files of each, and how repose reads one."""

import gzip
import io
import json
import pickle
import random
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np
import pandas as pd
import torch
import trimesh
from gltf_files import Maker
from PIL import Image
from released import body, faces_of, write_anime
from safetensors.torch import save
from scipy.sparse import csc_matrix

Change = Callable[[random.Random, list[bytes]], bytes]
ROOT = Path(__file__).parents[2]
V = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.5]], np.float32)
F = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
JOINTS = [[float(k), -1.0] for k in range(18)]


@dataclass(frozen=True)
class Reader:
    """What is fuzzed.

    Attributes:
        name: in the table.
        seeds: makes sound files; may leave what the reader needs beside them in the folder.
        read: reads one, and checks what it gives.
        text: whether lines and tokens are damaged, too.
        change: damages a file in a way of its own.
    """

    name: str
    seeds: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], None]
    text: bool = False
    change: Change | None = None


def _mesh(suffix: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, folder: Path) -> None:
        from repose.mesh.formats.io import parse_mesh

        mesh = parse_mesh(data, Path(f"a{suffix}"))
        assert np.isfinite(mesh.vertices).all() and 0 <= mesh.faces.min() <= mesh.faces.max() < len(
            mesh.vertices
        )

    return read


def _rewritten(suffix: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, folder: Path) -> None:
        from repose.mesh.formats.asset import read_asset, write_asset

        (folder / f"a{suffix}").write_bytes(data)
        asset = read_asset(folder / f"a{suffix}")
        for out in (suffix, ".obj", ".glb"):
            write_asset(asset, folder / f"b{out}", asset.mesh.vertices[:, ::-1] + 1)

    return read


def _exported(kind: str, *more: bytes) -> Callable[[Path], list[bytes]]:
    def seeds(folder: Path) -> list[bytes]:
        one = trimesh.Trimesh(V, F, process=False)
        written = [
            one.export(file_type=kind),
            trimesh.Trimesh(body(1, 1, 122), faces_of(122)).export(file_type=kind),
        ]
        return [w if isinstance(w, bytes) else w.encode() for w in written] + list(more)

    return seeds


def _by_path(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], None]:
    def by_path(data: bytes, folder: Path) -> None:
        (folder / name).write_bytes(data)
        read(folder / name)

    return by_path


def _lazy(module: str, name: str, *arguments: object) -> Callable[[Path], object]:
    """A function of repose that is imported when it is called."""
    import importlib

    return lambda path: getattr(importlib.import_module(module), name)(path, *arguments)


def _pickles(value: object) -> Callable[[Path], list[bytes]]:
    return lambda folder: [pickle.dumps(value, protocol) for protocol in range(6)]


def _model(folder: Path) -> list[bytes]:
    content = {
        "v_template": np.ones((4, 3)),
        "J_regressor": csc_matrix(np.eye(3)),
        "f": np.arange(6, dtype=np.uint32),
    }
    out = io.BytesIO()
    np.savez_compressed(out, v_template=np.ones((4, 3)), J_regressor=np.eye(3), f=np.arange(6))
    return [*(pickle.dumps(content, protocol) for protocol in (0, 2, 4)), out.getvalue()]


def _archives(folder: Path) -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("a/b.ply", b"hello" * 40)
            archive.writestr("a/c d.ply", b"x")
        found.append(out.getvalue())
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            for name in ("a/b.ply", "x" * 90 + "/" + "y" * 60):
                info = tarfile.TarInfo(name)
                info.size = 300
                archive.addfile(info, io.BytesIO(b"z" * 300))
        found += [out.getvalue(), gzip.compress(out.getvalue(), mtime=0)]
    return found


def _archive(data: bytes, folder: Path) -> None:
    from repose.raw.archive import names, unpack

    box = folder / "box"
    shutil.rmtree(box, ignore_errors=True)
    box.mkdir()
    (box / "in.bin").write_bytes(data)
    target = box / "deep" / "target"
    try:
        names(box / "in.bin")
        written = unpack(box / "in.bin", target)
        assert {p.relative_to(target).as_posix() for p in target.rglob("*") if not p.is_dir()} == set(written)
    finally:
        outside = [
            p for p in box.rglob("*") if not p.is_relative_to(target) and p.name not in ("in.bin", "deep")
        ]
        assert not outside and not any(p.is_symlink() for p in box.rglob("*"))


def _anime(folder: Path) -> list[bytes]:
    write_anime(folder / "seed.anime", V, F, np.full((3, 4, 3), 0.1))
    return [(folder / "seed.anime").read_bytes()]


def _read_anime(data: bytes, folder: Path) -> None:
    from repose.raw.anime import parse_anime

    animation = parse_anime(data)
    assert all(animation.frame(k).shape == animation.first.shape for k in range(min(len(animation), 9)))


def _hdf5(folder: Path) -> list[bytes]:
    import h5py

    found = []
    for options in ({}, {"compression": "gzip", "chunks": True}):
        with h5py.File(folder / "seed.hdf5", "w") as file:
            file.create_dataset("faces", data=F.astype(np.uint32), **options)
            file.create_dataset("50002_hips", data=np.stack([V, V + 1], 2), **options)
        found.append((folder / "seed.hdf5").read_bytes())
    return found


def _read_hdf5(path: Path) -> None:
    from repose.raw import dfaust

    for name, _ in dfaust._sequences(path):
        with dfaust._opened(path) as opened:
            dfaust._sequence(opened, name, path)[:]


def _photos(folder: Path) -> list[bytes]:
    found, image = [], Image.fromarray((np.arange(144) % 255).astype(np.uint8).reshape(8, 6, 3))
    for kind in ("JPEG", "PNG", "BMP", "GIF"):
        out = io.BytesIO()
        image.save(out, kind)
        found.append(out.getvalue())
    return found


def _photo(path: Path) -> None:
    import hashlib

    from repose.raw.inventory import Inventory, RawFile
    from repose.raw.photos import PhotoSource

    data = path.read_bytes()
    listed = RawFile(path.name, len(data), hashlib.sha256(data).hexdigest())
    Inventory(path.parent, (listed,)).write(path.parent / "raw.json")
    PhotoSource(path.parent / "raw.json", None)._open(path.name, "RGB")  # type: ignore[arg-type]


def _keypoints(path: Path) -> None:
    from repose.raw import deepfashion, keypoints

    start = path.read_bytes()[:40]
    if b"keypoints" in start:
        keypoints.read_annotations(path)
    elif b"{" in start:
        keypoints.read_pair_split(path)
    elif start[:1].isdigit():
        deepfashion.read_partition(path)
    else:
        keypoints.read_pairs(path)


def _lists(folder: Path) -> list[bytes]:
    row = json.dumps([float(k) for k in range(18)])
    return [
        f"name:keypoints_y:keypoints_x\na.jpg:{row}:{row}\nb.jpg:{row}:{row}\n".encode(),
        b"from,to\na.jpg,b.jpg\nc.jpg,a.jpg\n",
        b'{"train": [["a.jpg", "b.jpg"]], "test": []}',
        b"1\nimage item part\nimg/MEN/a.jpg id_1 train\n",
    ]


def _published(path: Path) -> None:
    from repose.split.protocols import Partition
    from repose.split.published import list_digest, read_published

    part = Partition([], [], [0, 1])
    list_digest(path)
    read_published(path, "test-unseen", {(i, p) for i in range(2) for p in range(2)}, part, part)


def _checkpoints(folder: Path) -> list[bytes]:
    found = []
    for is_zip in (True, False):
        state = {"module.a.weight": torch.ones(3, 4), "module.a.bias": torch.zeros(3)}
        torch.save(state, folder / "seed.pth", _use_new_zipfile_serialization=is_zip)
        found.append((folder / "seed.pth").read_bytes())
    return found


def _weights(folder: Path) -> list[bytes]:
    from repose.methods.build import create

    settings = {"architecture": "npt", "pooling": "max", "width": 8}
    state = create("npt", pooling="max", width=8).state_dict()
    return [save({k: v.contiguous() for k, v in state.items()}, {"repose": json.dumps(settings)})]


def _changed_weights(draw: random.Random, seeds: list[bytes]) -> bytes:
    from fuzz.mutate import mutated

    if draw.random() < 0.4:
        return mutated(draw, seeds, False)
    settings: dict[str, object] = {"architecture": "npt", "pooling": "max", "width": 8}
    values = [
        0,
        -1,
        10**5,
        10**9,
        2**63,
        1.5,
        "x",
        None,
        [],
        {},
        True,
        "corenet",
        "../x",
        "os",
        "flow-transfer",
    ]
    settings[draw.choice(["architecture", "pooling", "width", "other"])] = draw.choice(values)
    return save({"a": torch.zeros(2)}, {"repose": json.dumps(settings)})


def _configs(folder: Path) -> list[bytes]:
    files = [(ROOT / "tests/tiny/config.yaml").read_bytes(), (ROOT / "config.yaml").read_bytes()]
    return [*files, b"x: &x {a: 1}\ny: &y {b: 1}\nz: {<<: [*x, *y], b: 2}\n"]


def _catalogs(folder: Path) -> list[bytes]:
    rows = {
        "mesh_id": ["id0_0", "id0_1"],
        "identity": [0, 0],
        "pose": [0, 1],
        "vertices": [4, 4],
        "faces": [4, 4],
    }
    pd.DataFrame(rows | {key: ["a", "b"] for key in ("sha256", "source", "licence")}).to_parquet(
        folder / "s.parquet"
    )
    return [(folder / "s.parquet").read_bytes()]


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

    with _replaced(folder / "meshes.zarr", data):
        store = MeshStore(folder / "meshes.zarr")
        store.vertices(np.arange(min(len(store), 4)))


class _replaced:
    """One file of a folder, `NAME \\0 CONTENT`, is another for a while."""

    def __init__(self, folder: Path, data: bytes):
        name, _, self.content = data.partition(b"\0")
        self.path = folder / name.decode("latin-1")

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
    from fuzz.mutate import mutated

    return mutated(draw, [content], content.startswith(b"{"))


def _distances(folder: Path) -> list[bytes]:
    from repose.gih.scale import compute_dataset

    path = folder / "gih.zarr"
    shutil.rmtree(path, ignore_errors=True)
    compute_dataset({"m": lambda: (body(1, 1, 122).astype(float), faces_of(122))}, path)
    files = [p for p in path.rglob("*") if p.is_file() and p.name != ".lock"]
    return [p.relative_to(path).as_posix().encode() + b"\0" + p.read_bytes() for p in sorted(files)]


def _resealed(draw: random.Random, content: bytes) -> bytes:
    """Damage under a digest, or a checksum, that holds all the same."""
    from repose.gih.layout import ATTRIBUTES, _digest

    if not content.startswith(b"{"):
        return _recounted(draw, content)
    try:
        tree = json.loads(_any(draw, content))
        own = tree["attributes"][ATTRIBUTES]
        own[draw.choice(list(own))] = draw.choice([0, -1, 2**40, 1.5, "x", "../x", None, [], {}, [1], True])
        own["digest"] = _digest(tree)
        return json.dumps(tree).encode()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return _any(draw, content)


def _recounted(draw: random.Random, content: bytes) -> bytes:
    bands = -(-122 // 16)
    if draw.random() < 0.3 or len(content) < 16 * bands + 4:
        return _any(draw, content)
    data = bytearray(content)
    index = np.frombuffer(bytes(data[-16 * bands - 4 : -4]), "<u8").reshape(-1, 2)
    offset, length = map(int, index[draw.randrange(bands)])
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

    with _replaced(folder / "gih.zarr", data):
        for cache in (0, 1 << 20):
            reader = GihReader(folder / "gih.zarr", cache)
            for mesh in reader.meshes[:2]:
                reader.verify(mesh)
                reader.block(mesh, [0, 5, 121])


_OBJ = (
    b"# c\r\no a\nv 0 0 0 1\nv 1 0 0 1\nv 0 1e0 0 1\nv .5 -5E-1 +2. 1\nf 1/1/1 2/1/1 3//1 4\nf -1 -2 \\\n-3\n"
)
_DRESSED = b"""mtllib a.mtl
v 0 0 0 1 0 0
v 1 0 0 0 1 0
v 1 1 0 .5 1 1
v 0 1e0 0 0 0 0
vt 0 0
vt 1 0
vn 0 0 1
vn 0 -1 0
g a
f 1/1/1 2/2/1 3/1/1 4/-1/-1
f 1//2 2/2 \\
 4
"""
_PLY = b"""ply
format ascii 1.0
comment x
element vertex 3
property float x
property uchar red
property double y
property uchar green
property float z
property uchar blue
property float nx
property float ny
property float nz
property float s
property float t
element face 1
property list uchar int vertex_indices
element more 1
property int a
end_header
0 1 0 2 0 3 0 0 1 0 0
1 1 0 2 0 3 0 0 1 1 0
0 1 1 2 0 3 0 0 1 0 1
3 0 1 2
5
"""
_STL = (
    b"solid vertex\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1e0 0\n"
    b"endloop\nendfacet\nendsolid\n",
    bytes(80) + (1).to_bytes(4, "little") + np.arange(12, dtype="<f4").tobytes() + bytes(2),
)


def _glbs(folder: Path) -> list[bytes]:
    """A textured mesh in two places, one of them turned; and a bent skin."""
    maker, skin = Maker(), Maker()
    for made in (maker, skin):
        attributes = {
            "POSITION": made.numbers(V),
            "NORMAL": made.numbers(V + 1),
            "TEXCOORD_0": made.numbers(V[:, :2]),
        }
        attributes["TANGENT"] = made.numbers(np.ones((4, 4)))
        attributes["COLOR_0"] = made.numbers(np.full((4, 4), 99), "u1", normalized=True)
        if made is skin:
            attributes["JOINTS_0"] = made.numbers([[0, 1, 0, 0]] * 4, "u1")
            attributes["WEIGHTS_0"] = made.numbers([[0.5, 0.5, 0, 0]] * 4)
        made.mesh(
            {"attributes": attributes, "indices": made.numbers(F.ravel(), "u2"), "material": made.textured()}
        )
    maker.node(mesh=0, scale=[2, 1, 1])
    maker.node(mesh=0, rotation=[0, 0, 1, 0], translation=[5, 0, 0])
    skin.node(mesh=0, skin=0)
    skin.node(rotation=[0, 0.6, 0, 0.8])
    skin.tree["skins"] = [{"joints": [0, 1], "inverseBindMatrices": skin.numbers([np.eye(4).ravel()] * 2)}]
    return [maker.packed(), skin.packed()]


_CORR = np.array([4, 3], "<i4").tobytes() + np.ones((3, 4, 2), "<f4").tobytes() + bytes(12)
_LIST = [b"id0_1 id1_0 id0_0\nid1_1.obj id0_0.obj id1_0.obj\n", b"toy_0_1.ply toy_1_0.ply toy_0_0.ply\r\n"]
_INVENTORY = (
    b'{"format": "repose.raw-files/1", "root": "/x", "files": [\n["a/b.ply", 5, "0f"],\n["c", 6, "11"]\n]}\n'
)
_MATRIX = np.abs(np.random.default_rng(0).normal(size=(5, 5))).astype(np.float32)

READERS = {
    reader.name: reader
    for reader in (
        Reader("obj", _exported("obj", _OBJ), _mesh(".obj"), text=True),
        Reader("ply", _exported("ply"), _mesh(".ply"), text=True),
        Reader("off", _exported("off"), _mesh(".off"), text=True),
        Reader("glb", _exported("glb"), _mesh(".glb"), text=True),
        Reader("stl", _exported("stl", *_STL), _mesh(".stl"), text=True),
        Reader("obj-rewritten", _exported("obj", _OBJ, _DRESSED), _rewritten(".obj"), text=True),
        Reader("ply-rewritten", _exported("ply", _PLY), _rewritten(".ply"), text=True),
        Reader("off-rewritten", _exported("off"), _rewritten(".off"), text=True),
        Reader("glb-rewritten", _glbs, _rewritten(".glb"), text=True),
        Reader("stl-rewritten", _exported("stl", *_STL), _rewritten(".stl"), text=True),
        Reader("archive", _archives, _archive),
        Reader("labels", _pickles({f"p{k}.jpg": JOINTS for k in range(2)}),
               _by_path("l.pkl", _lazy("repose.raw.keypoints", "read_labels"))),
        Reader("matrix", _pickles(_MATRIX), _by_path("m.pkl", _lazy("repose.gih.import_pickles", "read_matrix"))),
        Reader("model", _model, _by_path(
            "model.pkl", _lazy("repose.raw.model_file", "read_arrays", ["v_template", "J_regressor", "f"]))),
        Reader("corr", lambda folder: [_CORR], _by_path("a.corr", _lazy("repose.raw.corr", "read_corr"))),
        Reader("anime", _anime, _read_anime),
        Reader("hdf5", _hdf5, _by_path("r.hdf5", _read_hdf5)),
        Reader("photo", _photos, _by_path("a.jpg", _photo)),
        Reader("lists", _lists, _by_path("list.txt", _keypoints), text=True),
        Reader("published", lambda folder: _LIST, _by_path("p.txt", _published), text=True),
        Reader("checkpoint", _checkpoints, _by_path("x.pth", _lazy("repose.weights.checkpoint", "read_checkpoint"))),
        Reader("weights", _weights, _by_path("x.safetensors", _lazy("repose.weights.model", "open_model")),
               change=_changed_weights),
        Reader("config", _configs, _by_path("c.yaml", _lazy("repose.config.load", "load_files")), text=True),
        Reader("inventory", lambda folder: [_INVENTORY],
               _by_path("raw.json", lambda path: __import__("repose.raw.inventory", fromlist="x").Inventory.read(path)),
               text=True),
        Reader("catalog", _catalogs, _by_path("c.parquet", _lazy("repose.convert.catalog", "read_catalog"))),
        Reader("store", _store, _read_store, change=_in_named(_any)),
        Reader("distances", _distances, _read_distances, change=_in_named(_any)),
        Reader("sealed-distances", _distances, _read_distances, change=_in_named(_resealed)),
    )
}  # fmt: skip
