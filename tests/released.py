"""Small datasets in exactly the layout that their owners release, made of numbers."""

import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np

RINGS = {6890: (82, 84), 3889: (23, 169), 122: (8, 15), 62: (6, 10)}  # rings × sectors + 2 poles


def faces_of(vertices: int) -> np.ndarray:
    """A closed surface (F, 3) with the counts of SMPL (6890), SMAL (3889) or neither (122): F = 2 V - 4."""
    rings, sectors = RINGS[vertices]
    ring, sector = np.divmod(np.arange((rings - 1) * sectors), sectors)
    a, b = 1 + ring * sectors + sector, 1 + ring * sectors + (sector + 1) % sectors
    side = np.concatenate([np.stack([a, b, a + sectors], 1), np.stack([b, b + sectors, a + sectors], 1)])
    turn = np.arange(sectors)
    last = vertices - 1 - sectors
    top = np.stack([0 * turn, 1 + (turn + 1) % sectors, 1 + turn], 1)
    bottom = np.stack([0 * turn + vertices - 1, last + turn, last + (turn + 1) % sectors], 1)
    return np.concatenate([top, side, bottom]).astype(np.int32)


def body(identity: int, pose: int, vertices: int = 6890) -> np.ndarray:
    """A bent ellipsoid (V, 3) float32 in metres, y up: its girth is the identity, its bend the pose."""
    rings, sectors = RINGS[vertices]
    ring, sector = np.divmod(np.arange(rings * sectors), sectors)
    tilt, turn = np.pi * (ring + 1) / (rings + 1), 2 * np.pi * sector / sectors
    points = np.stack([np.sin(tilt) * np.cos(turn), np.cos(tilt), np.sin(tilt) * np.sin(turn)], 1)
    points = np.concatenate([[[0, 1, 0]], points, [[0, -1, 0]]]) * [0.2 + 0.02 * identity, 0.9, 0.15]
    points[:, 0] += 0.05 * pose * points[:, 1] ** 2
    return points.astype(np.float32)


def ply(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """Binary little endian, as FAUST's registrations are."""
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\nproperty float x\nproperty float y\n"
        f"property float z\nelement face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.empty(len(faces), [("n", "u1"), ("corners", "<i4", 3)])
    rows["n"], rows["corners"] = 3, faces
    return header.encode() + vertices.astype("<f4").tobytes() + rows.tobytes()


def obj(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """`v` lines of six decimals and `f` lines, as SMPL-NPT's files are."""
    lines = ["v {:.6f} {:.6f} {:.6f}".format(*v) for v in vertices.tolist()]
    return "\n".join(lines + ["f {} {} {}".format(*f) for f in (faces + 1).tolist()]).encode() + b"\n"


def write_faust(path: Path, identities, poses) -> Path:
    """`MPI-FAUST.zip` with registrations of some of the people and poses, and files that are not wanted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MPI-FAUST/README.txt", "see the licence")
        archive.writestr("MPI-FAUST/test/scans/test_scan_000.ply", "not read")
        for n in (10 * i + p for i in identities for p in poses):
            folder = "MPI-FAUST/training"
            mesh = ply(body(n // 10, n % 10), faces_of(6890))
            archive.writestr(f"{folder}/registrations/tr_reg_{n:03}.ply", mesh)
            archive.writestr(f"{folder}/registrations/tr_reg_{n:03}.png", b"\x89PNG")
            archive.writestr(f"{folder}/scans/tr_scan_{n:03}.ply", "not read")
    return path


def write_dfaust(folder: Path, sequences: dict[str, list[str]], frames: int = 5) -> None:
    """`registrations_m.hdf5` (even subjects) and `registrations_f.hdf5` (odd ones)."""
    folder.mkdir(parents=True, exist_ok=True)
    for sex in range(2):
        with h5py.File(folder / f"registrations_{'mf'[sex]}.hdf5", "w") as file:
            file["faces"] = faces_of(6890).astype(np.uint32)
            for subject, motions in sequences.items():
                for k, motion in enumerate(motions if int(subject) % 2 == sex else []):
                    meshes = [body(int(subject) % 10, 10 * k + t) for t in range(frames)]
                    file[f"{subject}_{motion}"] = np.stack(meshes, axis=2)  # (V, 3, frames)


def write_anime(path: Path, first: np.ndarray, faces: np.ndarray, offsets: np.ndarray) -> None:
    """An .anime file: counts, frame 0, triangles, offsets (frames - 1, V, 3) from frame 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    counts = struct.pack("<3i", 1 + len(offsets), len(first), len(faces))
    arrays = (first.astype("<f4"), faces.astype("<i4"), offsets.astype("<f4"))
    path.write_bytes(counts + b"".join(array.tobytes() for array in arrays))
