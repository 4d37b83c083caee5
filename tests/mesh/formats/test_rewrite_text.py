"""Text and table formats with other positions: only what must change does."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import MeshError
from repose.mesh.formats.asset import REWRITERS, read_asset, write_asset
from repose.mesh.formats.io import parse_mesh
from repose.mesh.operators import vertex_normals

OBJ = """# made by hand\r
mtllib body.mtl
o Body
v 0 0 0 0.5 0.25 1
  v\t1.0   0 0   0.1 0.2 0.3  # a comment
v 1 1 0 1 1 1
v 0 1 \\
 0 0 0 0
v 5 5 5 0 0 0
vt 0 0
vt 1 0
vn 0 0 1
vn 0 0 1.000
vn 7 7 7
g left arm
usemtl Skin
s 1
f 1/1/1 2/2/1 3/1/1 4/2/1
usemtl Cloth
f -5/1/-2 -3//2 -2
l 1 2
"""


def test_an_obj_comes_back_line_by_line(tmp_path):
    (tmp_path / "a.obj").write_bytes(OBJ.encode())
    asset = read_asset(tmp_path / "a.obj")
    vertices = asset.mesh.vertices.copy()
    vertices[1] = [1, 0.5, -0.125]
    assert write_asset(asset, tmp_path / "b.obj", vertices) == []
    before, after = OBJ.encode().split(b"\n"), (tmp_path / "b.obj").read_bytes().split(b"\n")
    assert len(before) == len(after)
    changed = [k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert [before[k][:3] for k in changed] == [b"  v", b"vn ", b"vn "]
    assert after[4] == b"  v\t1   0.5 -0.125   0.1 0.2 0.3  # a comment"
    moved = parse_mesh((tmp_path / "b.obj").read_bytes(), tmp_path / "b.obj")
    normals = [[float(x) for x in line.split()[1:]] for line in after if line.startswith(b"vn")]
    # The corners of a smooth surface at one place have one normal, whichever line of the file it stands on.
    smooth = vertex_normals(moved.vertices, moved.faces)
    assert normals[0] == pytest.approx(unit(smooth[:4].sum(axis=0)), abs=1e-6)
    assert normals[1] == pytest.approx(smooth[2], abs=1e-6) and normals[2] == [7, 7, 7]


def unit(x):
    return x / np.linalg.norm(x)


def test_normals_that_no_corner_has_stay_as_they_are():
    data = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0 1\nf 1 2 3\n"
    mesh = parse_mesh(data, Path("x.obj"))
    assert REWRITERS[".obj"](data, mesh, mesh.vertices[[1, 0, 2]]) == data.replace(
        b"v 0 0 0\nv 1 0 0", b"v 1 0 0\nv 0 0 0"
    )


def test_smooth_and_sharp_edges_stay_what_they_were():
    box = trimesh.creation.box()
    lines = [f"v {x} {y} {z}" for x, y, z in box.vertices]
    lines += [f"vn {x} {y} {z}" for x, y, z in box.face_normals]
    lines += [
        f"f {a + 1}//{k + 1} {b + 1}//{k + 1} {c + 1}//{k + 1}" for k, (a, b, c) in enumerate(box.faces)
    ]
    data = "\n".join(lines).encode()
    mesh = parse_mesh(data, Path("x.obj"))
    turned = mesh.vertices @ trimesh.transformations.rotation_matrix(0.7, [1, 2, 3])[:3, :3].T
    after = REWRITERS[".obj"](data, mesh, turned)
    found = [[float(x) for x in line.split()[1:]] for line in after.splitlines() if line.startswith(b"vn")]
    expected = box.face_normals @ trimesh.transformations.rotation_matrix(0.7, [1, 2, 3])[:3, :3].T
    assert np.allclose(found, expected, atol=1e-6)


HEADER = """ply
format {} 1.0
comment of a scanner
obj_info 7
element camera 1
property float view
element vertex 4
property float x
property uchar red
property double y
property float nx
property float z
property float ny
property float nz
property list uchar short near
element face 2
property list uchar int vertex_indices
property float quality
end_header
"""
ROWS = [(0, 9, 0, 0, 0, 0, 1), (1, 8, 0, 0, 0, 0, 1), (1, 7, 1, 0, 0, 0, 1), (0, 6, 1, 0, 0, 0, 1)]


def ply(order):
    header = HEADER.replace("property list uchar short near\n", "")
    if not order:
        rows = ["0.5", *(" ".join(map(str, row)) for row in ROWS), "4 0 1 2 3 0.5", "3 0 1 2 0.25"]
        return header.format("ascii").encode() + "\n".join(rows).encode() + b"\n"
    name = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    body = struct.pack(f"{order}f", 0.5)
    for x, red, y, nx, z, ny, nz in ROWS:
        body += struct.pack(f"{order}fBdffff", x, red, y, nx, z, ny, nz)
    body += struct.pack(f"{order}B3if", 3, 0, 2, 3, 0.5) + struct.pack(f"{order}B3if", 3, 0, 1, 2, 0.25)
    return header.format(name).encode() + body


@pytest.mark.parametrize("order", ["", "<", ">"])
def test_a_ply_keeps_its_properties_comments_and_elements(tmp_path, order):
    (tmp_path / "a.ply").write_bytes(ply(order))
    asset = read_asset(tmp_path / "a.ply")
    turned = asset.mesh.vertices[:, [2, 0, 1]] + 0.1  # x to y, y to z
    write_asset(asset, tmp_path / "b.ply", turned)
    after = (tmp_path / "b.ply").read_bytes()
    end = after.index(b"end_header")
    assert after[:end] == ply(order)[:end] and len(after) >= len(ply(order))
    back = trimesh.load(tmp_path / "b.ply", process=False)
    raw = back.metadata["_ply_raw"]
    assert np.allclose(read_asset(tmp_path / "b.ply").mesh.vertices, turned, atol=1e-7)
    table = raw["vertex"]["data"]
    assert list(np.ravel(table["red"])) == [9, 8, 7, 6]
    found = np.stack([np.ravel(table[name]) for name in ("nx", "ny", "nz")], axis=1)
    assert np.allclose(found, [1, 0, 0], atol=1e-6)
    tail = ply(order).rindex(b"4 0 1 2 3") if not order else -2 * (1 + 12 + 4)
    assert after.endswith(ply(order)[tail:])


def test_a_ply_of_whole_numbers_is_refused(tmp_path):
    text = "ply\nformat ascii 1.0\nelement vertex 3\nproperty int x\nproperty int y\nproperty int z\n"
    text += (
        "element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n9 0 0\n0 9 0\n3 0 1 2\n"
    )
    (tmp_path / "a.ply").write_text(text)
    asset = read_asset(tmp_path / "a.ply")
    with pytest.raises(MeshError, match=r"a\.ply: it stores positions as whole numbers"):
        write_asset(asset, tmp_path / "b.ply", asset.mesh.vertices + 0.5)
    assert not (tmp_path / "b.ply").exists()


def test_an_off_keeps_its_colours_and_comments(tmp_path):
    text = "CNOFF # both\n\n3 1 0\n0 0 0 0 0 1 255 0 0 255 # red\n1 0 0 0 0 1 1 2 3 4\n0 1 0 0 0 1 5 6 7 8\n"
    text += "3 0 1 2 9 9 9\n"
    (tmp_path / "a.off").write_text(text)
    asset = read_asset(tmp_path / "a.off")
    write_asset(asset, tmp_path / "b.off", asset.mesh.vertices[:, [2, 0, 1]])
    assert (tmp_path / "b.off").read_text() == text.replace("0 0 0 0 0 1 255", "0 0 0 1 0 0 255").replace(
        "1 0 0 0 0 1 1", "0 1 0 1 0 0 1"
    ).replace("0 1 0 0 0 1 5", "0 0 1 1 0 0 5")


@pytest.mark.parametrize("kind", ["stl", "stl_ascii"])
def test_an_stl_is_one_surface_and_keeps_its_header(tmp_path, kind):
    ball = trimesh.creation.icosphere(2)
    data = ball.export(file_type=kind)
    data = data.encode().replace(b"solid ", b"solid vertex ") if isinstance(data, str) else b"mine" + data[4:]
    (tmp_path / "a.stl").write_bytes(data)
    asset = read_asset(tmp_path / "a.stl")
    assert (len(asset.file.vertices), len(asset.mesh.vertices)) == (960, 162)
    assert trimesh.Trimesh(asset.mesh.vertices, asset.mesh.faces, process=False).is_watertight
    write_asset(asset, tmp_path / "b.stl", asset.mesh.vertices * [1, 2, 1])
    after = (tmp_path / "b.stl").read_bytes()
    assert after[:16] == data[:16]
    back = read_asset(tmp_path / "b.stl").file
    assert np.allclose(back.vertices, asset.file.vertices * [1, 2, 1], atol=1e-6)
    if kind == "stl":
        stored = np.frombuffer(after, np.dtype("<f4,<f4,<f4,V36,V2"), offset=84)
        normals = np.stack([stored[f"f{k}"] for k in range(3)], axis=1)
    else:
        normals = [[float(x) for x in row] for row in re.findall(rb"normal (\S+) (\S+) (\S+)", after)]
    assert np.allclose(
        normals, trimesh.Trimesh(back.vertices, back.faces, process=False).face_normals, atol=1e-4
    )


@st.composite
def written(draw):
    """A file of some format, with whatever white space and extra fields it allows, and how many vertices it has."""
    number = st.floats(-1e3, 1e3, width=32)
    vertices = draw(st.lists(st.lists(number, min_size=3, max_size=3), min_size=3, max_size=8))
    corner = st.integers(0, len(vertices) - 1)
    polygons = draw(st.lists(st.lists(corner, min_size=3, max_size=5), min_size=1, max_size=5))
    normals = draw(
        st.lists(st.lists(st.sampled_from([0, 0.5, -1]), min_size=3, max_size=3), min_size=1, max_size=4)
    )
    blank, end = draw(st.sampled_from([" ", "\t", "  "])), draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    tail = draw(st.sampled_from(["", f"{blank}0.1{blank}0.2{blank}1"]))
    kind = draw(st.sampled_from(["obj", "off", "ply", "little", "big", "stl"]))
    row = [blank.join(map(repr, v)) for v in vertices]
    if kind == "obj":
        n = len(normals)
        lines = [
            "# x",
            *(f"v{blank}{r}{tail}" for r in row),
            *(f"vn {' '.join(map(str, m))}" for m in normals),
        ]
        lines += ["f " + blank.join(f"{c + 1}//{(c + k) % n + 1}" for c in p) for k, p in enumerate(polygons)]
        return ".obj", end.join(lines).encode()
    faces = [blank.join(map(str, [len(p), *p])) for p in polygons]
    if kind == "off":
        return ".off", end.join(
            ["OFF", f"{len(row)} {len(faces)} 0", *(r + tail + " # y" for r in row), *faces]
        ).encode()
    if kind == "stl":
        corners = [vertices[p[k]] for p in polygons for k in range(3)]
        lines = [f"{blank}vertex {' '.join(map(repr, c))}" for c in corners]
        facets = ["facet normal 0 0 1", "outer loop", *[""] * 3, "endloop", "endfacet"]
        text = [facets[:2] + lines[k : k + 3] + facets[5:] for k in range(0, len(lines), 3)]
        return ".stl", end.join(["solid a b", *(line for part in text for line in part), "endsolid"]).encode()
    names = {"ply": ("", "ascii"), "little": ("<", "binary_little_endian"), "big": (">", "binary_big_endian")}
    order, name = names[kind]
    header = f"ply\nformat {name} 1.0\ncomment {blank}\nelement vertex {len(row)}\nproperty float x\nproperty float y\n"
    header += f"property float z\nproperty short more\nelement face {len(faces)}\n"
    header += "property list uchar int vertex_indices\nend_header\n"
    if not order:
        return ".ply", header.encode() + end.join([f"{r}{blank}7" for r in row] + faces).encode()
    body = b"".join(struct.pack(f"{order}3fh", *v, 7) for v in vertices)
    body += b"".join(struct.pack(f"{order}B{len(p)}i", len(p), *p) for p in polygons)
    return ".ply", header.encode() + body


@settings(deadline=None, max_examples=150)
@given(written(), st.integers(0, 2**31))
def test_the_same_positions_give_the_same_bytes_and_others_come_back(tmp_path_factory, file, seed):
    suffix, data = file
    folder = tmp_path_factory.mktemp("any")
    (folder / f"a{suffix}").write_bytes(data)
    asset = read_asset(folder / f"a{suffix}")
    assert REWRITERS[suffix](data, asset.file, asset.file.vertices.copy(), "a") == data
    other = np.random.default_rng(seed).normal(size=asset.file.vertices.shape).astype(np.float32)
    changed = REWRITERS[suffix](data, asset.file, other.astype(float), "a")
    back = parse_mesh(changed, folder / f"b{suffix}")
    assert np.array_equal(back.vertices.astype(np.float32), other) and np.array_equal(
        back.faces, asset.file.faces
    )
    again = parse_mesh(REWRITERS[suffix](changed, back, asset.file.vertices, "b"), folder / f"c{suffix}")
    assert np.array_equal(again.vertices.astype(np.float32), asset.file.vertices.astype(np.float32))
    if suffix != ".stl" and b"vn" not in data and b"binary" not in data:
        words = [re.sub(rb"-?\d[-+.\de]*", b"N", text) for text in (data, changed)]
        assert words[0] == words[1]
