"""Convert a mesh file to another format, and name what that format cannot hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from repose.errors import MeshError
from repose.mesh.formats import dressed, off, stl
from repose.mesh.formats.dressed import Dressed
from repose.mesh.formats.glb import is_surface
from repose.mesh.formats.gltf import Gltf
from repose.mesh.formats.io import formatted
from repose.mesh.formats.ply import parse_header
from repose.mesh.formats.rewrite import glb, obj, ply
from repose.mesh.mesh import Mesh
from repose.reading import foreign

COLOURS, TEXTURE = "colours", "texture coordinates"
OF_FACES, LINES, GROUPS = "colours of faces", "lines and points", "groups"
POLYGONS = "polygons (they are triangles now)"
STATEMENTS = {
    TEXTURE: rb"vt\b",
    "materials": rb"(?:usemtl|mtllib)\b",
    GROUPS: rb"[gos]\b",
    LINES: rb"[lp][ \t]",
    POLYGONS: rb"f(?:[ \t]+[^\s#]+){4}",
    COLOURS: rb"v(?:[ \t]+[^\s#]+){6}",
}
PROPERTIES = {
    COLOURS: {"red", "green", "blue", "alpha"},
    TEXTURE: {"s", "t", "u", "v", "texture_u", "texture_v", "texcoord"},
    "": {"x", "y", "z", "nx", "ny", "nz", "vertex_indices", "vertex_index"},
}
ATTRIBUTES = {TEXTURE: "TEXCOORD_0", COLOURS: "COLOR_0"}
OTHERS = re.compile("POSITION|NORMAL|TANGENT|(JOINTS|WEIGHTS)_[0-9]+")  # of the surface, or of its skin
LISTS = {
    "materials": "materials",
    "textures": "images",
    "skeleton and skin weights": "skins",
    "animations": "animations",
}
READERS: dict[str, Callable[[bytes, Mesh], Dressed]] = {
    ".obj": obj.dressed,
    ".ply": ply.dressed,
    ".glb": glb.dressed,
}
WRITERS: dict[str, Callable[[Dressed, object], bytes]] = {
    ".obj": dressed.format_obj,
    ".ply": dressed.format_ply,
    ".glb": dressed.format_glb,
}


def converted(path: Path, data: bytes, mesh: Mesh, placed: Mesh, out: Path) -> tuple[bytes, list[str]]:
    """Return the content of a file in another format, and the names of what is lost.

    Args:
        path, data: a valid mesh file.
        mesh: the mesh that its reader returns.
        placed: the same mesh with other positions.
        out: path whose suffix chooses the format.

    Raises:
        MeshError: a part of the file that was not read before is damaged, or a position does not fit in the format.
    """
    source, target = path.suffix.lower(), out.suffix.lower()
    with foreign(path, "damaged", "export it again", MeshError):
        held = set(_held(source, data, mesh)) - {""}
        if source not in READERS or target not in WRITERS or not held & {COLOURS, TEXTURE}:
            if target == ".glb":
                return dressed.format_glb(Dressed(placed), out), sorted(held)
            return formatted(placed, out), sorted(held)
        body = replace(READERS[source](data, mesh), mesh=placed)
        if body.texture is not None:
            held.discard(TEXTURE)
        if body.colours is not None:
            held.discard(COLOURS)
            if target == ".obj" and (body.colours[:, 3:] < 1).any():
                held.add("opacity")
        return WRITERS[target](body, out), sorted(held)


def _held(suffix: str, data: bytes, mesh: Mesh) -> Iterator[str]:
    """Yield the names of what a file holds besides vertices, triangles and normals."""
    if suffix == ".obj":
        text = obj.CONTINUED.sub(b" ", data)
        yield from (name for name, start in STATEMENTS.items() if re.search(rb"(?m)^[ \t]*" + start, text))
    if suffix == ".ply":
        for element in parse_header(data, "<bytes>")[1]:
            found = {p.name for p in element.properties}
            if element.name == "face" and element.count < len(mesh.faces):
                yield POLYGONS
            names = {name for name, properties in PROPERTIES.items() if found & properties}
            yield from names if element.name != "face" else (OF_FACES if n == COLOURS else n for n in names)
            if found - set().union(*PROPERTIES.values()) or element.name not in ("vertex", "face"):
                yield "other properties"
    if suffix == ".off":
        words, _ = off.header(data)
        if int(words[2]) < len(mesh.faces):
            yield POLYGONS
        yield from (name for name, has in zip((COLOURS, OF_FACES), off.coloured(data), strict=True) if has)
    if suffix == ".stl":
        if stl.is_binary(data) and np.frombuffer(data, stl.FACET, offset=stl.HEADER)["more"].any():
            yield OF_FACES
        if not stl.is_binary(data) and data.lower().count(b"endsolid") > 1:
            yield GROUPS
    if suffix == ".glb":
        tree = Gltf(data).tree
        yield from (name for name, key in LISTS.items() if tree.get(key))
        primitives = [p for part in tree["meshes"] for p in part["primitives"]]
        attributes = {name for p in primitives for name in p["attributes"]}
        yield from (name for name, attribute in ATTRIBUTES.items() if attribute in attributes)
        if not all(OTHERS.fullmatch(name) for name in attributes - set(ATTRIBUTES.values())):
            yield "other attributes"
        if not all(map(is_surface, primitives)):
            yield LINES
        if any(p.get("targets") for p in primitives):
            yield "morph targets"
        if len(tree.get("nodes", [])) > 1:
            yield "nodes"
