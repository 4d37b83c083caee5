"""What all readers promise alike: order and count of vertices, fans, exact numbers, and errors that name the place."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import MeshError
from repose.mesh.formats.io import read_mesh

# A duplicate, two unused vertices, a vertex shared by all faces; a quad and a pentagon.
VERTICES = [[0, 0, 0], [9, 9, 9], [1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0], [7, 7, 7], [0, -1, 1]]
POLYGONS = [[0, 2, 4, 5], [0, 5, 7], [3, 0, 2, 7, 4]]
FAN = [[0, 2, 4], [0, 4, 5], [0, 5, 7], [3, 0, 2], [3, 2, 7], [3, 7, 4]]
FORMATS = ["obj", "ascii.ply", "little.ply", "big.ply", "off"]
every_format = pytest.mark.parametrize("kind", FORMATS)


def written(kind: str, vertices=VERTICES, polygons=POLYGONS) -> bytes:
    """The mesh as text of `repr` decimals, or as binary of doubles."""
    rows = [" ".join(map(str, v)) for v in vertices]
    if kind == "obj":
        corners = [" ".join(f"{c + 1}/{k + 1}/1" for k, c in enumerate(p)) for p in polygons]
        return "\n".join([f"v {r}" for r in rows] + ["vt 0 0"] * 5 + [f"f {c}" for c in corners]).encode()
    faces = [" ".join(map(str, [len(p), *p])) for p in polygons]
    if kind == "off":
        return "\n".join(["OFF", f"{len(rows)} {len(faces)} 0", *rows, *faces]).encode()
    order = {"ascii.ply": "", "little.ply": "<", "big.ply": ">"}[kind]
    name = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    header = (
        f"ply\nformat {name} 1.0\nelement vertex {len(rows)}\nproperty double x\nproperty double y\nproperty double z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    ).encode()
    if not order:
        return header + "\n".join(rows + faces).encode()
    body = b"".join(struct.pack(f"{order}3d", *v) for v in vertices)
    return header + body + b"".join(struct.pack(f"{order}B{len(p)}i", len(p), *p) for p in polygons)


def read(kind: str, content: bytes, folder):
    path = folder / f"mesh.{kind}"
    path.write_bytes(content)
    return read_mesh(path)


@every_format
def test_vertices_keep_order_and_count_and_polygons_become_fans(kind, tmp_path):
    mesh = read(kind, written(kind), tmp_path)
    assert mesh.vertices.tolist() == VERTICES
    assert mesh.faces.tolist() == FAN


@every_format
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused_with_its_place(kind, bad, tmp_path):
    vertices = [*VERTICES[:4], [1, bad, 0], *VERTICES[5:]]
    with pytest.raises(MeshError, match="not.* finite") as caught:
        read(kind, written(kind, vertices), tmp_path)
    # The fifth vertex: a line of the text, or its number.
    place = {"obj": "mesh.obj:5:", "ascii.ply": "ply:14:", "off": "mesh.off:7:"}.get(
        kind, "vertex 4 is not finite"
    )
    assert place in str(caught.value) and f"mesh.{kind}" in str(caught.value)


@every_format
@pytest.mark.parametrize("corner", [8, -10, 2**31 - 2])
def test_a_corner_that_is_no_vertex_is_refused_with_its_place(kind, corner, tmp_path):
    content = written(kind, polygons=[[0, 2, 4], [0, 2, corner]])
    with pytest.raises(MeshError, match=r"out of range|but there are 8") as caught:
        read(kind, content, tmp_path)
    assert f"mesh.{kind}" in str(caught.value)
    if kind in ("obj", "ascii.ply", "off"):
        assert f"{kind}:{len(content.splitlines())}:" in str(caught.value)


@pytest.mark.parametrize("kind", ["obj", "ascii.ply", "off"])
def test_a_ragged_vertex_is_refused_with_its_line(kind, tmp_path):
    lines = written(kind).splitlines()
    at = lines.index(b"v 9 9 9" if kind == "obj" else b"9 9 9")
    lines[at] = lines[at][:-2]
    with pytest.raises(MeshError, match=rf"mesh\.{kind}:{at + 1}: "):
        read(kind, b"\n".join(lines), tmp_path)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=24, max_size=24),
)
def test_numbers_come_back_bit_for_bit(tmp_path_factory, kind, numbers):
    vertices = np.array(numbers).reshape(8, 3)
    mesh = read(kind, written(kind, vertices.tolist()), tmp_path_factory.mktemp("exact"))
    assert mesh.vertices.tobytes() == vertices.tobytes()


@st.composite
def meshes(draw):
    """Any vertices of float32, some of them equal or unused, and any polygons on them."""
    number = st.floats(allow_nan=False, allow_infinity=False, width=32)
    vertices = draw(st.lists(st.lists(number, min_size=3, max_size=3), min_size=1, max_size=9))
    corner = st.integers(0, len(vertices) - 1)
    return vertices, draw(st.lists(st.lists(corner, min_size=3, max_size=6), min_size=1, max_size=9))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(FORMATS), meshes())
def test_any_mesh_keeps_order_count_and_float32_values(tmp_path_factory, kind, mesh):
    vertices, polygons = mesh
    found = read(kind, written(kind, vertices, polygons), tmp_path_factory.mktemp("any"))
    assert found.vertices.astype(np.float32).tobytes() == np.array(vertices, np.float32).tobytes()
    assert found.faces.tolist() == [[p[0], p[k], p[k + 1]] for p in polygons for k in range(1, len(p) - 1)]


@settings(deadline=None, max_examples=500)
@given(
    st.sampled_from(FORMATS),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
)
def test_damaged_files_give_a_mesh_or_a_mesh_error(tmp_path_factory, kind, cut, edits):
    content = bytearray(written(kind))
    for place, byte in edits:
        content[place % len(content)] = byte
    try:
        mesh = read(kind, bytes(content[: cut % (2 * len(content))]), tmp_path_factory.mktemp("damaged"))
    except MeshError:
        return
    assert (
        np.isfinite(mesh.vertices).all() and mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
    )


@pytest.mark.parametrize("kind", ["obj", "off"])
def test_cut_short_anywhere_gives_a_mesh_or_a_mesh_error(kind, tmp_path):
    content, refused = written(kind), 0
    for length in range(len(content)):
        try:
            read(kind, content[:length], tmp_path)
        except MeshError:
            refused += 1
    # An .obj does not say how long it is: what is cut between lines is a smaller mesh.
    assert refused >= (len(content) - 1 if kind == "off" else content.index(b"f "))
