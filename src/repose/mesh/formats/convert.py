"""A mesh file written in another format: what that one can hold, and the names of what it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from repose.errors import MeshError
from repose.mesh.formats.gltf import Gltf
from repose.mesh.formats.io import formatted
from repose.mesh.formats.ply import parse_header
from repose.mesh.mesh import Mesh
from repose.reading import foreign

STATEMENTS = {
    "texture coordinates": rb"vt\b",
    "normals": rb"vn\b",
    "materials": rb"(?:usemtl|mtllib)\b",
    "groups": rb"[gos]\b",
    "polygons": rb"f(?:[ \t]+\S+){4}",
    "colours": rb"v(?:[ \t]+\S+){6}",
}
PROPERTIES = {
    "colours": {"red", "green", "blue"},
    "normals": {"nx", "ny", "nz"},
    "texture coordinates": {"s", "t", "u", "v", "texture_u", "texture_v", "texcoord"},
}
ATTRIBUTES = {"texture coordinates": "TEXCOORD_0", "colours": "COLOR_0", "normals": "NORMAL"}
LISTS = {
    "materials": "materials",
    "textures": "images",
    "skeleton and skin weights": "skins",
    "animations": "animations",
}


def converted(path: Path, data: bytes, mesh: Mesh, out: Path) -> tuple[bytes, list[str]]:
    """The content of a file in another format, and what of the first one is not in it.

    Args:
        path, data: a sound mesh file.
        mesh: what to write in its place: its vertices, with other positions, and its faces.
        out: the suffix chooses the format.

    Raises:
        MeshError: the file is damaged where it was not read before, or a position does not fit in the format.
    """
    with foreign(path, "damaged", "export it again", MeshError):
        held = sorted(set(_held(path.suffix.lower(), data)))
    return formatted(mesh, out), held


def _held(suffix: str, data: bytes) -> Iterator[str]:
    """Names of what a file holds besides vertices and triangles."""
    if suffix == ".obj":
        yield from (name for name, start in STATEMENTS.items() if re.search(rb"(?m)^[ \t]*" + start, data))
    if suffix == ".ply":
        _, elements, _ = parse_header(data, "<bytes>")
        for element in elements:
            known = {p.name for p in element.properties if not p.count_dtype}
            known -= {"x", "y", "z"}
            for name, properties in PROPERTIES.items():
                if known & properties:
                    yield name
                known -= properties
            if known or element.name not in ("vertex", "face"):
                yield "other properties"
    if suffix == ".off" and data[:1] in b"CN":
        yield "colours" if data[:1] == b"C" else "normals"
    if suffix == ".glb":
        tree = Gltf(data).tree
        yield from (name for name, key in LISTS.items() if tree.get(key))
        attributes = {name for mesh in tree["meshes"] for p in mesh["primitives"] for name in p["attributes"]}
        yield from (name for name, attribute in ATTRIBUTES.items() if attribute in attributes)
        yield "node names"
