"""Readers of meshes, alone (`obj`) and with all else that stands in the file, written again (`obj-rewritten`)."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import trimesh
from fuzz.mutate import changed_json, mutated
from fuzz.reader import Reader
from fuzz.stores import F, V
from gltf_files import Maker
from released import body, faces_of


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


def changed_glb(draw: random.Random, seeds: list[bytes]) -> bytes:
    """A file damaged anywhere, or other values in its JSON."""
    data = draw.choice(seeds)
    if draw.random() < 0.4:
        return mutated(draw, [data], True)
    size = int.from_bytes(data[12:16], "little")
    text = changed_json(draw, data[20 : 20 + size])
    text += b" " * (-len(text) % 4)
    chunk = len(text).to_bytes(4, "little") + b"JSON" + text + data[20 + size :]
    return b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunk)).to_bytes(4, "little") + chunk


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


MESHES = (
    Reader("obj", _exported("obj", _OBJ), _mesh(".obj"), text=True),
    Reader("ply", _exported("ply"), _mesh(".ply"), text=True),
    Reader("off", _exported("off"), _mesh(".off"), text=True),
    Reader("glb", _exported("glb"), _mesh(".glb"), change=changed_glb),
    Reader("stl", _exported("stl", *_STL), _mesh(".stl"), text=True),
    Reader("obj-rewritten", _exported("obj", _OBJ, _DRESSED), _rewritten(".obj"), text=True),
    Reader("ply-rewritten", _exported("ply", _PLY), _rewritten(".ply"), text=True),
    Reader("off-rewritten", _exported("off"), _rewritten(".off"), text=True),
    Reader("glb-rewritten", _glbs, _rewritten(".glb"), change=changed_glb),
    Reader("stl-rewritten", _exported("stl", *_STL), _rewritten(".stl"), text=True),
)  # fmt: skip
