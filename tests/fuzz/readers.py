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
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import trimesh
from fuzz.mutate import VALUES, changed_json, mutated
from fuzz.reader import Reader
from fuzz.stores import STORES, F, V
from gltf_files import Maker
from PIL import Image
from released import body, faces_of, write_anime
from safetensors.torch import load, save
from scipy.sparse import csc_matrix

ROOT = Path(__file__).parents[2]
JOINTS = [[float(k), -1.0] for k in range(18)]


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


def _changed_glb(draw: random.Random, seeds: list[bytes]) -> bytes:
    data = draw.choice(seeds)
    if draw.random() < 0.4:
        return mutated(draw, [data], True)
    size = int.from_bytes(data[12:16], "little")
    text = changed_json(draw, data[20 : 20 + size])
    text += b" " * (-len(text) % 4)
    chunk = len(text).to_bytes(4, "little") + b"JSON" + text + data[20 + size :]
    return b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunk)).to_bytes(4, "little") + chunk


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


FIELDS = (
    (0, 100),
    (100, 108),
    (124, 136),
    (136, 148),
    (156, 157),
    (157, 257),
    (257, 265),
    (345, 500),
)  # of a tar
LIES = [b"../../x", b"/etc/x", b"77777777777", b"\x80" + b"\xff" * 11, *b"1 2 3 5 L K x g S -1 0 V".split(), b"",
        b"\xff" * 8]  # fmt: skip


def _changed_archive(draw: random.Random, seeds: list[bytes]) -> bytes:
    data = draw.choice(seeds)
    is_packed = data[:2] == b"\x1f\x8b"
    plain = gzip.decompress(data) if is_packed else data
    if plain[257:262] != b"ustar" or draw.random() < 0.3:
        return mutated(draw, [data], False)
    changed = bytearray(plain)
    for _ in range(draw.choice([1, 2, 3])):
        at = draw.randrange(len(changed) // 512) * 512
        header = changed[at : at + 512]
        start, stop = draw.choice(FIELDS)
        header[start:stop] = draw.choice(LIES)[: stop - start].ljust(stop - start, b"\0")
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)  # the checksum holds
        changed[at : at + 512] = header
    plain = mutated(draw, [bytes(changed)], False) if draw.random() < 0.3 else bytes(changed)
    return gzip.compress(plain, mtime=0) if is_packed else plain


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


def _inventory(path: Path) -> None:
    """As the list of raw files, and as what is remembered of them."""
    from repose.raw.hashes import Hashes
    from repose.raw.inventory import Inventory

    Hashes(path.parent, path).sha256(path.name)
    for file in Inventory.read(path).files:
        file.is_of(b"")


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
    if draw.random() < 0.4:
        return mutated(draw, seeds, False)
    settings: dict[str, object] = {"architecture": "npt", "pooling": "max", "width": 8}
    values = [*VALUES, 10**5, 2**63, "corenet", "os", "flow-transfer"]
    settings[draw.choice(["architecture", "pooling", "width", "other"])] = draw.choice(values)
    return save(load(seeds[0]), {"repose": json.dumps(settings)})


def _run(folder: Path) -> list[bytes]:
    from pydantic import TypeAdapter

    from repose.config.models import Method
    from repose.methods.build import build

    training = {"steps": 4, "batch": 1, "points": 40, "learning_rate": 1e-3}
    settings = {"architecture": "npt", "pooling": "max", "width": 8, "training": training}
    method: Method = TypeAdapter(Method).validate_python(settings)
    weights = {k: v.contiguous() for k, v in build(method).state_dict().items()}
    (folder / "model.safetensors").write_bytes(save(weights))
    return [json.dumps({"method": method.model_dump(mode="json"), "seed": 0}).encode()]


def _read_run(data: bytes, folder: Path) -> None:
    from repose.weights.model import open_model

    (folder / "run.json").write_bytes(data)
    open_model(folder / "model.safetensors")


WORDS = [b"!!python/object/apply:os.system ['true']", b"!!binary x", b"!!timestamp 2001-99-99", b"&a [*a]", b"*nope",
         b"? [a]\n: b", b"<<: [*x, *x]", b"\t", b"\x00", b"!foo bar", b"2001-01-01", b"{", b"[", b"'", b"|", b"-",
         b"---\na: 1\n---", b"!!set {a, b}", b"!!omap [a: 1]", b"1e400", b".nan", b"0o17", b"1:30", b"%YAML 9.9",
         b"\xed\xa0\x80", b"\xc2\x85", b"null: null", b"!!float x", b"!!bool x", b"9" * 4000]  # fmt: skip


def _changed_config(draw: random.Random, seeds: list[bytes]) -> bytes:
    data = draw.choice(seeds)
    if draw.random() < 0.5:
        return mutated(draw, [data], True)
    lines = data.split(b"\n")
    for _ in range(draw.choice([1, 1, 2])):
        at, word = draw.randrange(len(lines)), draw.choice(WORDS)
        key, colon, value = lines[at].partition(b":")
        lines[at] = draw.choice(
            [
                key + colon + b" " + word,
                word + colon + value,
                b"  " + lines[at],
                lines[at] + b"\n" + word,
                word,
            ]
        )
    return b"\n".join(lines)


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
        Reader("glb", _exported("glb"), _mesh(".glb"), change=_changed_glb),
        Reader("stl", _exported("stl", *_STL), _mesh(".stl"), text=True),
        Reader("obj-rewritten", _exported("obj", _OBJ, _DRESSED), _rewritten(".obj"), text=True),
        Reader("ply-rewritten", _exported("ply", _PLY), _rewritten(".ply"), text=True),
        Reader("off-rewritten", _exported("off"), _rewritten(".off"), text=True),
        Reader("glb-rewritten", _glbs, _rewritten(".glb"), change=_changed_glb),
        Reader("stl-rewritten", _exported("stl", *_STL), _rewritten(".stl"), text=True),
        Reader("archive", _archives, _archive, change=_changed_archive),
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
        Reader("run", _run, _read_run, text=True),
        Reader("config", _configs, _by_path("c.yaml", _lazy("repose.config.load", "load_files")),
               change=_changed_config),
        Reader("inventory", lambda folder: [_INVENTORY], _by_path("raw.json", _inventory), text=True),
        Reader("catalog", _catalogs, _by_path("c.parquet", _lazy("repose.convert.catalog", "read_catalog"))),
        *STORES,
    )
}  # fmt: skip
