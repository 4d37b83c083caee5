"""The OBJ reader and writer: what is kept, what is refused, and that numbers are exact."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import MeshError
from repose.mesh.formats.io import read_mesh, write_obj
from repose.mesh.formats.obj import format_obj, parse_obj
from repose.mesh.mesh import Mesh

TRIANGLE = b"v 0 0 0\nv 1 0 0\nv 0 1 0\n"


def test_keeps_duplicate_and_unused_vertices_in_order():
    mesh = parse_obj(b"v 3 0 0\nv 9 9 9\nv 1 0 0\nv 3 0 0\nv 0 1 0\nf 4 3 5\n")
    assert mesh.vertices[:, 0].tolist() == [3, 9, 1, 3, 0]
    assert mesh.faces.tolist() == [[3, 2, 4]]


def test_a_texture_seam_adds_no_vertex():
    mesh = parse_obj(
        TRIANGLE + b"v 1 1 0\nvt 0 0\nvt 1 1\nvn 0 0 1\nf 1/1/1 2/1/1 3/2/1\nf 2/2/1 4/2/1 3/1/1\n"
    )
    assert len(mesh.vertices) == 4
    assert mesh.faces.tolist() == [[0, 1, 2], [1, 3, 2]]


def test_polygon_becomes_a_fan():
    mesh = parse_obj(TRIANGLE + b"v 1 1 0\nv 2 2 0\nf 5 4 3 2 1\n")
    assert mesh.faces.tolist() == [[4, 3, 2], [4, 2, 1], [4, 1, 0]]


def test_negative_indices_count_back_from_the_vertices_so_far():
    mesh = parse_obj(TRIANGLE + b"f -3 -2 -1\nv 5 5 5\nf -1/-1 -2//-1 -3/-1/-1\n")
    assert mesh.faces.tolist() == [[0, 1, 2], [3, 2, 1]]


def test_a_face_may_come_before_its_vertices():
    assert parse_obj(b"f 1 2 3\n" + TRIANGLE).faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("extra", [b" 1", b" .5 .5 .5", b" .5 .5 .5 1"])
def test_weights_and_colours_are_dropped(extra):
    mesh = parse_obj(TRIANGLE.replace(b"\n", extra + b"\n") + b"f 1 2 3")
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    "text",
    [
        TRIANGLE.replace(b"\n", b"\r\n") + b"f 1 2 3",
        b"\xef\xbb\xbf# a comment \\\n\n  \t\n" + TRIANGLE + b"f 1 2 3 # and one more\n",
        b"mtllib ../../../etc/passwd\no a\ng b c\ns off\nusemtl x\n"
        + TRIANGLE
        + b"l 1 2\np 1\n\tf\t1 2  3  ",
        TRIANGLE.replace(b"1 0 0", b"1 \\\n 0 \\\r\n0") + b"f 1 2 \\\n 3\n",
        b"# \xff\xfe\x00\n" + TRIANGLE + b"vn 0 0 \\\n 1\nf 1 2 3\n",
    ],
)
def test_benign_variations(text):
    mesh = parse_obj(text).validated()
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert mesh.faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (b"v 0 0 nan\n", 1, "'nan' is not a finite number"),
        (b"\n\nv 0 -inf 0\n", 3, "not a finite number"),
        (b"v 0 0 1e999\n", 1, "not a finite number"),
        (b"v 0 0 1_0\n", 1, "not a finite number"),
        (b"v 0 0 0x1\n", 1, "not a finite number"),
        (b"v 0 0 " + b"1" * 600, 1, "not a finite number"),
        (TRIANGLE + b"v 1 2\n", 4, "too few or too many"),
        (TRIANGLE + b"v 1 2 3 4\n", 4, "too few or too many"),
        (b"v 1 2 3 4 5\n", 1, "too few or too many"),
        (TRIANGLE + b"f 1 2\n", 4, "fewer than 3 corners"),
        (TRIANGLE + b"f 1 2 0\n", 4, "vertex 0"),
        (TRIANGLE + b"f 1 2 3\nf 1 2 4\n", 5, "vertex 4, but there are 3"),
        (TRIANGLE + b"f 1 2 -4\n", 4, "vertex -4"),
        (TRIANGLE + b"f 1 2 99999999999\n", 4, "out of range"),
        (TRIANGLE + b"f 1 2 99999999999999999999999\n", 4, "not a face corner"),
        (TRIANGLE + b"f 1 2 3.0\n", 4, "not a face corner"),
        (TRIANGLE + b"f 1 2 3/1/1/1\n", 4, "not a face corner"),
        (TRIANGLE + b"w 1 2 3\n", 4, "not an OBJ keyword"),
        (b"<!DOCTYPE html>", 1, "not an OBJ keyword"),
    ],
)
def test_refuses_and_names_the_line(text, line, says):
    with pytest.raises(MeshError, match=says) as caught:
        parse_obj(text, "a.obj")
    assert str(caught.value).startswith(f"a.obj:{line}: ")
    assert caught.value.hint


def test_refuses_an_empty_mesh(tmp_path):
    for content in (b"", TRIANGLE, b"# nothing\n"):
        (tmp_path / "a.obj").write_bytes(content)
        with pytest.raises(MeshError, match="has no"):
            read_mesh(tmp_path / "a.obj")


def test_refuses_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.obj")
    (tmp_path / "folder.obj").mkdir()
    with pytest.raises(MeshError, match="not a regular file"):
        read_mesh(tmp_path / "pipe.obj")
    with pytest.raises(MeshError, match="not a regular file"):
        read_mesh(tmp_path / "folder.obj")
    with pytest.raises(MeshError, match="no such file"):
        read_mesh(tmp_path / "missing.obj")
    with pytest.raises(MeshError, match=r"cannot read \.fbx"):
        read_mesh(tmp_path / "a.fbx")


def test_refuses_a_file_beyond_the_limit(tmp_path):
    with (tmp_path / "huge.obj").open("wb") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(MeshError, match="more than the limit"):
        read_mesh(tmp_path / "huge.obj")


DECIMALS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda x: f"{x:.9g}"),
    st.from_regex(r"[+-]?([0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,25})([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(DECIMALS, min_size=3, max_size=60))
def test_numbers_are_what_float_reads(tokens):
    tokens = [t for t in tokens if np.isfinite(float(t))]
    tokens = tokens[: len(tokens) // 3 * 3]
    text = "".join(f"v {x} {y} {z}\n" for x, y, z in zip(*[iter(tokens)] * 3, strict=True))
    mesh = parse_obj(text.encode())
    expected = np.array([float(t) for t in tokens]).reshape(-1, 3)
    assert mesh.vertices.tobytes() == expected.tobytes()


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=3, max_size=90),
    st.data(),
)
def test_write_then_read_is_bit_exact_for_float32(numbers, data):
    vertices = np.array(numbers[: len(numbers) // 3 * 3], np.float32).reshape(-1, 3)
    index = st.integers(0, len(vertices) - 1)
    faces = np.array(data.draw(st.lists(st.tuples(index, index, index), min_size=1, max_size=20)), np.int32)
    back = parse_obj(format_obj(Mesh(vertices, faces)))
    assert back.vertices.astype(np.float32).tobytes() == vertices.tobytes()
    assert back.faces.tobytes() == faces.tobytes()


def random_obj(seed: int = 0) -> bytes:
    rng = np.random.default_rng(seed)
    vertices, faces = rng.normal(size=(12, 3)), rng.integers(0, 12, (10, 3))
    return (
        b"# made\nvt 0 0\n" + format_obj(Mesh(vertices, faces)) + b"f 1/1 2/1 3/1 4/1\nf -1//1 -2//1 -3//1\n"
    )


@settings(deadline=None, max_examples=500)
@given(st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6))
def test_damaged_bytes_give_a_mesh_or_a_mesh_error(cut, edits):
    content = bytearray(random_obj())
    for place, byte in edits:
        content[place % len(content)] = byte
    try:
        mesh = parse_obj(bytes(content[: cut % (len(content) + 1)])).validated()
    except MeshError:
        return
    assert np.isfinite(mesh.vertices).all() and mesh.faces.max() < len(mesh.vertices)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([b"v", b"f", b" ", b"\n", b"\r", b"\\", b"#", b"1", b"-", b".", b"e", b"/"])))
def test_any_soup_of_the_alphabet_gives_a_mesh_or_a_mesh_error(pieces):
    with contextlib.suppress(MeshError):
        parse_obj(b"".join(pieces)).validated()


def test_agrees_with_trimesh(tmp_path):
    ball = trimesh.creation.icosphere(3)
    ball.vertices += np.random.default_rng(0).normal(0, 0.01, ball.vertices.shape)
    ball.export(tmp_path / "ball.obj")
    theirs = trimesh.load(tmp_path / "ball.obj", process=False, maintain_order=True, skip_materials=True)
    ours = read_mesh(tmp_path / "ball.obj")
    assert np.array_equal(ours.vertices, theirs.vertices)
    assert np.array_equal(ours.faces, theirs.faces)


def test_writes_only_v_and_f_lines(tmp_path):
    write_obj(
        tmp_path / "a.obj", Mesh(np.array([[0.1, 1, -2e-9], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]))
    )
    lines = (tmp_path / "a.obj").read_text().splitlines()
    assert lines == ["v 0.1 1 -2e-9", "v 1 0 0", "v 0 1 0", "f 1 2 3"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.obj"]


def test_a_refused_mesh_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("old")
    for bad in (np.nan, np.inf, 1e39):
        with pytest.raises(MeshError):
            write_obj(path, Mesh(np.full((3, 3), bad), np.array([[0, 1, 2]])))
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.obj"]
