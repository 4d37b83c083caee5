"""Readers of what users supply: archives, pickles, recordings, photos and lists."""

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
from fuzz.mutate import mutated
from fuzz.reader import Reader, by_path, lazy
from fuzz.stores import F, V
from PIL import Image
from released import write_anime
from scipy.sparse import csc_matrix

JOINTS = [[float(k), -1.0] for k in range(18)]


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
    assert all(
        animation.frame(k).shape == animation.first.shape for k in range(min(1 + len(animation.offsets), 9))
    )


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
    PhotoSource(path.parent / "raw.json", path.parent, None)._open(path.name, "RGB")  # type: ignore[arg-type]


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


_CORR = np.array([4, 3], "<i4").tobytes() + np.ones((3, 4, 2), "<f4").tobytes() + bytes(12)
_INVENTORY = (
    b'{"format": "repose.raw-files/1", "root": "/x", "files": [\n["a/b.ply", 5, "0f"],\n["c", 6, "11"]\n]}\n'
)
_MATRIX = np.abs(np.random.default_rng(0).normal(size=(5, 5))).astype(np.float32)

RAW = (
    Reader("archive", _archives, _archive, change=_changed_archive),
    Reader("labels", _pickles({f"p{k}.jpg": JOINTS for k in range(2)}),
           by_path("l.pkl", lazy("repose.raw.keypoints", "read_labels"))),
    Reader("matrix", _pickles(_MATRIX), by_path("m.pkl", lazy("repose.gih.import_pickles", "read_matrix"))),
    Reader("model", _model, by_path(
        "model.pkl", lazy("repose.raw.model_file", "read_arrays", ["v_template", "J_regressor", "f"]))),
    Reader("corr", lambda folder: [_CORR], by_path("a.corr", lazy("repose.raw.corr", "read_corr"))),
    Reader("anime", _anime, _read_anime),
    Reader("hdf5", _hdf5, by_path("r.hdf5", _read_hdf5)),
    Reader("photo", _photos, by_path("a.jpg", _photo)),
    Reader("lists", _lists, by_path("list.txt", _keypoints), text=True),
    Reader("inventory", lambda folder: [_INVENTORY], by_path("raw.json", _inventory), text=True),
)  # fmt: skip
