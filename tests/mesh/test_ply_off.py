"""PLY and OFF: all layouts that datasets use, and files that lie about their size."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import MeshError
from repose.mesh.formats import rows
from repose.mesh.formats.io import read_mesh
from repose.mesh.formats.off import parse_off
from repose.mesh.formats.ply import parse_ply

VERTICES = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [9, 9, 9]], np.float32)
POLYGONS = [[0, 1, 2, 3], [2, 1, 0]]
FAN = [[0, 1, 2], [0, 2, 3], [2, 1, 0]]


def ply_bytes(order: str, count_type: str = "u1", index_type: str = "i4") -> bytes:
    """A PLY file with colours, a property after the corner list, and an element after the faces."""
    names = {"u1": "uchar", "i4": "int", "u4": "uint32", "i2": "short", "u2": "ushort", "i1": "char"}
    kind = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    header = (
        f"ply\nformat {kind} 1.0\ncomment a face: 1 2 3\nelement vertex 5\nproperty uchar red\n"
        "property float x\nproperty double y\nproperty float z\nelement face 2\nproperty float weight\n"
        f"property list {names[count_type]} {names[index_type]} vertex_indices\n"
        "property list uchar float texcoord\nelement edge 1\nproperty int vertex1\nend_header\n"
    ).encode()
    if not order:
        rows = [f"7 {x} {y} {z}" for x, y, z in VERTICES] + [
            " ".join(map(str, [0.5, len(p), *p, 2, 0.1, 0.2])) for p in POLYGONS
        ]
        return header + "\n".join([*rows, "3", ""]).encode()
    body = b""
    for x, y, z in VERTICES:
        body += np.array([(7, x, y, z)], f"u1,{order}f4,{order}f8,{order}f4").tobytes()
    for polygon in POLYGONS:
        body += (
            np.array([0.5], order + "f4").tobytes() + np.array([len(polygon)], order + count_type).tobytes()
        )
        body += np.array(polygon, order + index_type).tobytes()
        body += b"\x02" + np.array([0.1, 0.2], order + "f4").tobytes()
    return header + body + np.array([3], order + "i4").tobytes()


def off_bytes() -> bytes:
    rows = [f"{x} {y} {z} 255 0 0" for x, y, z in VERTICES] + [
        " ".join(map(str, [len(p), *p])) for p in POLYGONS
    ]
    return ("COFF # colours\n\n5 2 0\n" + "\n".join(rows)).encode()


@pytest.mark.parametrize(
    ("order", "count", "index"),
    [
        ("", "u1", "i4"),
        ("<", "u1", "i4"),
        (">", "u1", "i4"),
        ("<", "i4", "u4"),
        (">", "i2", "u2"),
        (">", "i1", "i1"),
    ],
)
def test_ply_layouts(order, count, index):
    content = ply_bytes(order, count, index) if index != "i1" else ply_bytes(order, count, "i2")
    mesh = parse_ply(content).validated()
    assert np.array_equal(mesh.vertices, VERTICES)
    assert mesh.faces.tolist() == FAN


def test_off():
    mesh = parse_off(off_bytes()).validated()
    assert np.array_equal(mesh.vertices, VERTICES)
    assert mesh.faces.tolist() == FAN
    assert len(parse_off(b"OFF 3 1 0\r\n0 0 0\r\n1 0 0\r\n0 1 0\r\n3 0 1 2\r\n").vertices) == 3


@pytest.mark.parametrize("suffix", [".ply", ".off"])
def test_agrees_with_trimesh(tmp_path, suffix):
    ball = trimesh.creation.icosphere(3)
    ball.vertices = (ball.vertices + np.random.default_rng(0).normal(0, 0.01, ball.vertices.shape)).astype(
        "f4"
    )
    ball.export(tmp_path / f"ball{suffix}")
    theirs = trimesh.load(tmp_path / f"ball{suffix}", process=False)
    ours = read_mesh(tmp_path / f"ball{suffix}")
    assert np.array_equal(ours.vertices, theirs.vertices)
    assert np.array_equal(ours.faces, theirs.faces)


def edited(content: bytes, *edits: tuple[bytes, bytes]) -> bytes:
    for old, new in edits:
        assert old in content
        content = content.replace(old, new)
    return content


@pytest.mark.parametrize("order", ["", "<", ">"])
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"vertex 5", b"vertex 2000000000", "do not fit|ends too early|goes on"),
        (b"face 2", b"face 2000000000", "do not fit|ends too early|goes on"),
        (b"vertex 5", b"vertex 99999999999999", "malformed header line"),
        (b"vertex 5", b"vertex -5", "malformed header line"),
        (b"property float x", b"property float w", "x, y and z"),
        (b"vertex_indices", b"corners", "vertex_indices"),
        (
            b"property float weight\n",
            b"property float weight\nproperty list float int a\n",
            "malformed header",
        ),
        (b"end_header", b"end_heeder", "header has no end"),
        (b"1.0", b"2.0", "malformed header line"),
        (b"element face", b"element fice", "needed"),
    ],
)
def test_ply_headers_that_lie(order, old, new, says):
    with pytest.raises(MeshError, match=says):
        parse_ply(edited(ply_bytes(order), (old, new)))


@pytest.mark.parametrize("order", ["", "<", ">"])
def test_ply_truncated_anywhere(order):
    content = ply_bytes(order).rstrip(b"\n")
    for length in range(len(content)):
        with pytest.raises(MeshError):
            parse_ply(content[:length]).validated()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            edited(ply_bytes(""), (b"7 9.0 9.0 9.0", b"7 9.0 nan 9.0")),
            "a.ply:20: 'nan' is not a finite number",
        ),
        (edited(ply_bytes(""), (b"4 0 1 2 3", b"4 0 1 2 5")), "a.ply:21: a face names vertex 5"),
        (edited(ply_bytes(""), (b"4 0 1 2 3", b"2 0 1")), "a.ply:21: a face has 2 corners"),
        (ply_bytes("") + b"1 2 3\n", "goes on with '1'"),
        (ply_bytes("<") + b"rubbish", "7 bytes follow"),
        (b"<!DOCTYPE html>", "not a PLY file"),
    ],
)
def test_ply_refuses(content, says):
    with pytest.raises(MeshError, match=says):
        parse_ply(content, "a.ply").validated("a.ply")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"OFF BINARY\n3 1 0\n", "not a text OFF"),
        (b"v 1 2 3\n", "not a text OFF"),
        (b"OFF\n3 x 0\n", "counts"),
        (b"OFF\n999999999 1 0\n0 0 0\n", "ends before its last row"),
        (b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1\n3 0 1 2\n", "a.off:5: the row ends too early"),
        (b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 3\n", "a.off:6: a face names vertex 3"),
    ],
)
def test_off_refuses(content, says):
    with pytest.raises(MeshError, match=says):
        parse_off(content, "a.off")


def test_rows_and_lists_without_end_are_refused_before_they_are_held():
    row = b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n" + b"700000" + b" 0" * 700_000
    with pytest.raises(MeshError, match=f"a.off:6: a row of more than {rows.MAX_ROW} bytes"):
        parse_off(row, "a.off")
    header = (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        b"property float z\nelement face 1\nproperty list uint uchar vertex_indices\nend_header\n"
    )
    with pytest.raises(MeshError, match="a face has a list of 100000"):
        parse_ply(header + bytes(36) + (100_000).to_bytes(4, "little") + bytes(100_000), "a.ply")


@settings(deadline=None, max_examples=600)
@given(
    st.sampled_from([(parse_ply, ply_bytes("")), (parse_ply, ply_bytes("<")), (parse_ply, ply_bytes(">")),
                     (parse_off, off_bytes())]),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
)  # fmt: skip
def test_damaged_bytes_give_a_mesh_or_a_mesh_error(file, cut, edits):
    parse, content = file
    content = bytearray(content)
    for place, byte in edits:
        content[place % len(content)] = byte
    try:
        mesh = parse(bytes(content[: cut % (2 * len(content))])).validated()
    except MeshError:
        return
    assert np.isfinite(mesh.vertices).all() and mesh.faces.max() < len(mesh.vertices)
