"""One surface from a file, all vertices of the file from the surface, and what another format can hold."""

import numpy as np
import pytest
import trimesh

from repose.errors import MeshError
from repose.mesh.formats.asset import flat_faces, read_asset, seams, write_asset
from repose.mesh.formats.convert import READERS
from repose.mesh.formats.io import read_mesh, write_mesh
from repose.mesh.mesh import Mesh
from repose.mesh.projection import turned
from tests.gltf_files import Maker, opened, stored
from tests.mesh.formats.test_rewrite_glb import VERTICES, surface

BALL = trimesh.creation.icosphere(2)


def test_seams_are_joined_and_lips_are_not():
    box = trimesh.creation.box()
    apart = Mesh(box.triangles.reshape(-1, 3), np.arange(36).reshape(-1, 3))
    joined = seams(apart)
    assert joined.max() == 7
    assert trimesh.Trimesh(
        apart.vertices[np.unique(joined, return_index=True)[1]], joined[apart.faces]
    ).is_watertight
    # Two closed surfaces that touch at a point of each, as lips do: no rim, so they stay two.
    ball = np.r_[BALL.vertices, BALL.vertices + 2 * BALL.vertices[0]]
    opposite = np.argmin(np.linalg.norm(BALL.vertices + BALL.vertices[0], axis=1)) + len(BALL.vertices)
    ball[opposite] = ball[0]
    lips = Mesh(ball, np.r_[BALL.faces, BALL.faces + len(BALL.vertices)])
    assert np.array_equal(seams(lips), np.arange(len(ball)))


def test_vertices_are_joined_in_the_order_of_the_file():
    mesh = Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [3, 5, 4]])
    assert seams(mesh).tolist() == [0, 1, 2, 1, 2, 3]


def test_zero_and_minus_zero_are_one_place():
    mesh = Mesh([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [-0.0, 0, 0], [0, -1, 0]], [[0, 1, 2], [3, 4, 1]])
    assert seams(mesh).tolist() == [0, 1, 2, 0, 3]


def test_faces_without_an_area_are_kept_in_the_file_and_their_vertices_follow(tmp_path):
    middle = BALL.vertices[BALL.faces[0, :2]].mean(axis=0)
    vertices = np.r_[BALL.vertices, [middle], [[9.0, 9, 9]]]
    a, b, c = BALL.faces[0]
    faces = np.r_[BALL.faces, [[a, b, len(BALL.vertices)], [c, c, a]]]
    (tmp_path / "a.obj").write_text(
        "".join(f"v {x!r} {y!r} {z!r}\n" for x, y, z in vertices.tolist())
        + "".join(f"f {i} {j} {k}\n" for i, j, k in faces + 1)
    )
    asset = read_asset(tmp_path / "a.obj")
    assert asset.flat_faces == 2 and len(asset.mesh.faces) == len(BALL.faces) and asset.joined == 0
    assert not flat_faces(asset.mesh.vertices, asset.mesh.faces).any()
    turned(asset.mesh.vertices, asset.mesh.faces, asset.mesh.vertices)  # which refuses a face without an area
    assert asset.rewritten(asset.mesh.vertices) == asset.data
    moved = asset.mesh.vertices.copy()
    moved[: len(BALL.vertices)] = 3 * BALL.vertices + 1
    write_asset(asset, tmp_path / "b.obj", moved)
    back = read_mesh(tmp_path / "b.obj")
    assert np.array_equal(back.faces, faces)
    assert np.allclose(back.vertices[-2], 3 * middle + 1, atol=1e-5), "it lies on the edge that it lay on"
    assert back.vertices[-1].tolist() == [9, 9, 9]


def test_another_pose_is_joined_like_the_first(tmp_path):
    # Of the second file one seam is open, so that alone it would be joined otherwise.
    soup = BALL.triangles.reshape(-1, 3)
    for name, vertices in (("a", soup), ("b", np.r_[soup[:5] + 0.1, soup[5:]])):
        write_mesh(tmp_path / f"{name}.ply", Mesh(vertices, np.arange(len(soup)).reshape(-1, 3)))
    first, second = (read_asset(tmp_path / f"{name}.ply") for name in "ab")
    assert len(first.mesh.vertices) != len(second.mesh.vertices) and second.has_faces_of(first)
    second = second.as_joined_like(first)
    assert np.array_equal(first.mesh.faces, second.mesh.faces)
    assert second.mesh.vertices.shape == first.mesh.vertices.shape


def test_all_flat_and_other_suffixes(tmp_path):
    (tmp_path / "a.obj").write_text("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n")
    assert len(read_asset(tmp_path / "a.obj").mesh.faces) == 1
    with pytest.raises(MeshError, match=r"a\.gltf: cannot read \.gltf \(hint: use \.obj"):
        read_asset(tmp_path / "a.gltf")


OBJ = """mtllib a.mtl
v 0 0 0 1 0 0
v 1 0 0 0 1 0
v 1 1 0 0 0 1
v 0 1 0 1 1 1
v 7 7 7 0 0 0
vt 0 0.25
vt 1 0
vt 1 1
vt 0.5 0.5
g leaf
f 1/1 2/2 3/3
f 1/4 3/3 4/2
"""


PLACES = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n"
PLY = """ply
format ascii 1.0
element vertex 4
property float x
property float y
property float z
element face 1
property list uchar int vertex_indices
end_header
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ply", PLY + PLACES + "4 0 1 2 3\n"),
        ("a.off", "OFF\n4 1 0\n" + PLACES + "4 0 1 2 3\n"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 \\\n 3 4\n"),
    ],
)
def test_polygons_that_become_triangles_are_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    asset = read_asset(tmp_path / name)
    assert write_asset(asset, tmp_path / "b.stl", asset.mesh.vertices) == [
        "polygons (they are triangles now)"
    ]


def test_morph_targets_that_another_format_cannot_hold_are_named(tmp_path):
    maker = Maker()
    up = maker.numbers(np.tile([0, 1.0, 0], (len(VERTICES), 1)))
    maker.node(mesh=maker.mesh(surface(maker, targets=[{"POSITION": up}])))
    (tmp_path / "a.glb").write_bytes(maker.packed())
    asset = read_asset(tmp_path / "a.glb")
    assert "morph targets" in write_asset(asset, tmp_path / "b.obj", asset.mesh.vertices)


@pytest.mark.parametrize("suffix", [".ply", ".glb", ".off", ".stl"])
def test_another_format_has_what_it_can_hold_and_the_rest_is_named(tmp_path, suffix):
    (tmp_path / "a.obj").write_text(OBJ)
    asset = read_asset(tmp_path / "a.obj")
    lost = write_asset(asset, tmp_path / f"b{suffix}", asset.mesh.vertices + 1)
    back = read_mesh(tmp_path / f"b{suffix}")
    assert np.allclose(back.vertices[back.faces], asset.file.vertices[asset.file.faces] + 1)
    if suffix in (".off", ".stl"):
        assert lost == ["colours", "groups", "materials", "texture coordinates"]
        return
    assert lost == ["groups", "materials"]
    assert len(back.vertices) == 6, "the corner with two texture coordinates stands twice"
    # And from there back to an .obj, with the same colours and texture coordinates at every corner.
    other = read_asset(tmp_path / f"b{suffix}")
    plain = ["materials"] if suffix == ".glb" else []  # the one that it was given
    assert write_asset(other, tmp_path / "c.obj", other.mesh.vertices - 1) == plain
    lines = [line.split() for line in (tmp_path / "c.obj").read_text().splitlines()]
    places, texture = ([list(map(float, x[1:])) for x in lines if x[0] == key] for key in ("v", "vt"))
    corners = [c.split("/") for x in lines if x[0] == "f" for c in x[1:]]
    found = [places[int(v) - 1] + texture[int(t) - 1] for v, t in corners]
    expected = [[0, 0, 0, 1, 0, 0, 0, 0.25], [1, 0, 0, 0, 1, 0, 1, 0], [1, 1, 0, 0, 0, 1, 1, 1]]
    expected += [[0, 0, 0, 1, 0, 0, 0.5, 0.5], [1, 1, 0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 1, 1, 1, 0]]
    assert np.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("coloured", [False, True])
def test_a_glb_without_a_material_gets_a_dull_one(tmp_path, coloured):
    """The default of the format is metal, which is black where nothing is mirrored."""
    text = OBJ if coloured else "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    (tmp_path / "a.obj").write_text(text)
    asset = read_asset(tmp_path / "a.obj")
    write_asset(asset, tmp_path / "b.glb", asset.mesh.vertices + 1)
    tree = opened((tmp_path / "b.glb").read_bytes())[0]
    (primitive,) = tree["meshes"][0]["primitives"]
    look = tree["materials"][primitive["material"]]["pbrMetallicRoughness"]
    assert look["metallicFactor"] == 0 and look["roughnessFactor"] == 1
    assert (look["baseColorFactor"] == [1, 1, 1, 1]) == coloured, "colours of vertices are multiplied with it"


def test_what_a_glb_loses_is_named(tmp_path):
    maker = Maker()
    surface = {
        "attributes": {
            "POSITION": maker.numbers(BALL.vertices),
            "TEXCOORD_0": maker.numbers(BALL.vertices[:, :2]),
        }
    }
    surface |= {"indices": maker.numbers(BALL.faces.ravel(), "u2"), "material": maker.textured()}
    maker.node(mesh=maker.mesh(surface))
    (tmp_path / "a.glb").write_bytes(maker.packed())
    asset = read_asset(tmp_path / "a.glb")
    assert write_asset(asset, tmp_path / "b.obj", asset.mesh.vertices) == ["materials", "textures"]
    assert write_asset(asset, tmp_path / "b.off", asset.mesh.vertices) == [
        "materials",
        "texture coordinates",
        "textures",
    ]
    uv = trimesh.load(tmp_path / "b.obj", process=False).visual.uv
    assert np.allclose(
        np.sort(uv, axis=0), np.sort(BALL.vertices[:, :2] * [1, -1] + [0, 1], axis=0), atol=1e-6
    )


COLOURED_PLY = (
    PLY.replace("4\n", "3\n").replace("end", "property uchar red\nend") + PLACES[:18] + "3 0 1 2 7\n"
)
SOLID = """SOLID
FACET NORMAL 0 0 1
OUTER LOOP
VERTEX 0 0 0
VERTEX 1 0 0
VERTEX 1 1 0
ENDLOOP
ENDFACET
ENDSOLID
"""


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.off", "OFF\n3 1 0\n0 0 0 255 0 0\n1 0 0 0 0 0\n1 1 0 0 0 0\n3 0 1 2\n", "colours"),
        ("a.ply", COLOURED_PLY, "colours of faces"),
        ("a.stl", f"{SOLID}{SOLID}", "groups"),
        ("a.off", "OFF\n3 1 0\n" + PLACES[:18] + "3 0 1 2 255 0 0 # red\n", "colours of faces"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\nl 1 2\n", "lines and points"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\np 3\n", "lines and points"),
    ],
)
def test_what_is_on_or_beside_the_faces_stays_or_is_named(tmp_path, name, text, what):
    (tmp_path / name).write_text(text)
    asset = read_asset(tmp_path / name)
    moved = asset.mesh.vertices.copy()
    moved[2] = [3, 2, 0]
    assert write_asset(asset, tmp_path / f"b_{name}", moved) == []
    assert (tmp_path / f"b_{name}").read_text() == text.replace("1 1 0", "3 2 0")
    for suffix in {".obj", ".ply", ".off", ".glb", ".stl"} - {asset.path.suffix}:
        assert write_asset(asset, tmp_path / f"b{suffix}", moved) == [what]


def test_colours_of_a_binary_stl_are_named(tmp_path):
    write_mesh(tmp_path / "a.stl", Mesh(BALL.vertices, BALL.faces))
    asset = read_asset(tmp_path / "a.stl")
    assert write_asset(asset, tmp_path / "b.obj", asset.mesh.vertices) == []
    (tmp_path / "a.stl").write_bytes(asset.data[:-2] + b"\x1f\x80")
    asset = read_asset(tmp_path / "a.stl")
    assert write_asset(asset, tmp_path / "b.obj", asset.mesh.vertices) == ["colours of faces"]


def test_what_a_glb_has_besides_its_surface_is_named(tmp_path):
    maker = Maker()
    part = surface(maker)
    part["attributes"] |= {"TEXCOORD_1": part["attributes"]["TEXCOORD_0"]}
    lines = {"mode": 1, "attributes": {"POSITION": part["attributes"]["POSITION"]}}
    maker.node(mesh=maker.mesh(part, lines))
    (tmp_path / "a.glb").write_bytes(maker.packed())
    asset = read_asset(tmp_path / "a.glb")
    assert write_asset(asset, tmp_path / "b.obj", asset.mesh.vertices) == [
        "lines and points",
        "other attributes",
    ]


def test_colours_of_an_obj_may_be_bytes_and_are_in_proportion_to_light_in_a_glb(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0 255 0 0\nv 1 0 0 0 51 0\nv 1 1 0 0 0 0\nf 1 2 3\n")
    asset = read_asset(tmp_path / "a.obj")
    write_asset(asset, tmp_path / "b.glb", asset.mesh.vertices)
    data = (tmp_path / "b.glb").read_bytes()
    accessor = opened(data)[0]["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]
    assert np.allclose(stored(data, accessor), [[1, 0, 0], [0, 0.0331048, 0], [0, 0, 0]])


@pytest.mark.parametrize("suffix", [".ply", ".glb"])
def test_opacity_goes_along_or_is_named(tmp_path, suffix):
    (tmp_path / "a.obj").write_text("v 0 0 0 1 0 0 0.2\nv 1 0 0 0 1 0 1\nv 1 1 0 0 0 1 1\nf 1 2 3\n")
    asset = read_asset(tmp_path / "a.obj")
    assert write_asset(asset, tmp_path / f"b{suffix}", asset.mesh.vertices) == []
    other = read_asset(tmp_path / f"b{suffix}")
    back = {".ply": ".glb", ".glb": ".ply"}[suffix]
    lost = write_asset(other, tmp_path / f"c{back}", asset.mesh.vertices)
    assert "opacity" not in lost and b"OPAQUE" not in (tmp_path / f"c{back}").read_bytes()
    assert "opacity" in write_asset(
        read_asset(tmp_path / f"c{back}"), tmp_path / "d.obj", asset.mesh.vertices
    )
    colours = READERS[back]((tmp_path / f"c{back}").read_bytes(), asset.file).colours
    assert np.allclose(colours, [[1, 0, 0, 0.2], [0, 1, 0, 1], [0, 0, 1, 1]])
