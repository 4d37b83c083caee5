"""A mesh with colours and texture coordinates, as OBJ, PLY and glTF."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repose.mesh.formats.gltf import BINARY_CHUNK, FLOAT, JSON_CHUNK, UNSIGNED, Tree
from repose.mesh.formats.rewrite.splice import decimals, fitted
from repose.mesh.mesh import Mesh

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Dressed:
    """A mesh with colours and texture coordinates.

    Attributes:
        mesh: (V,) vertices and (F,) faces.
        colours: (V, 3) red, green and blue from 0 to 1 as on a screen (sRGB), or (V, 4) with their opacity, or None.
        texture: (T, 2) texture coordinates, the origin at the lower left, as in OBJ; or None.
        corners: (F, 3) number of the texture coordinates of each corner of a face, -1 for none.
    """

    mesh: Mesh
    colours: Float | None = None
    texture: Float | None = None
    corners: NDArray[np.integer] | None = None

    def split(self) -> Dressed:
        """Return the mesh with a vertex for each pair of vertex and texture coordinates, in the vertices' order."""
        if self.texture is None or self.corners is None:
            return self
        texture = np.r_[self.texture, np.zeros((1, 2))]  # the last row is for -1
        has = np.isin(np.arange(len(self.mesh.vertices)), self.mesh.faces, invert=True)
        pairs = np.stack([self.mesh.faces.ravel(), self.corners.ravel()], axis=1).astype(np.int64)
        alone = np.stack([np.flatnonzero(has), np.full(has.sum(), -1)], axis=1)
        found, which = np.unique(np.r_[pairs, alone], axis=0, return_inverse=True)
        faces = which.ravel()[: len(pairs)].reshape(-1, 3)
        colours = None if self.colours is None else self.colours[found[:, 0]]
        return Dressed(Mesh(self.mesh.vertices[found[:, 0]], faces), colours, texture[found[:, 1]], faces)


def format_obj(body: Dressed, where: object = None) -> bytes:
    """Format the mesh as OBJ; raises MeshError if a coordinate does not fit in float32."""
    columns = [decimals(body.mesh.vertices[:, k], where) for k in range(3)]
    if body.colours is not None:
        columns += [decimals(body.colours[:, k], where) for k in range(3)]
    lines = [b"v " + b" ".join(row) for row in zip(*columns, strict=True)]
    corners = (body.mesh.faces + 1).astype(object)
    if body.texture is not None and body.corners is not None:
        lines += [
            b"vt " + b" ".join(row) for row in zip(*(decimals(x, where) for x in body.texture.T), strict=True)
        ]
        named = [
            f"{v}/{t}" if t else f"{v}"
            for v, t in zip(corners.ravel(), (body.corners + 1).ravel(), strict=True)
        ]
        corners = np.array(named, object).reshape(-1, 3)
    lines += [f"f {a} {b} {c}".encode() for a, b, c in corners]
    return b"\n".join([*lines, b""])


def format_ply(body: Dressed, where: object = None) -> bytes:
    """Format the mesh as binary PLY; a vertex is repeated for each of its texture coordinates."""
    body = body.split()
    fields = [(name, "<f4") for name in "xyz"]
    columns = list(fitted(body.mesh.vertices, where).T)
    if body.colours is not None:
        fields += [(name, "u1") for name in ("red", "green", "blue", "alpha")[: body.colours.shape[1]]]
        columns += list(np.round(255 * np.clip(body.colours, 0, 1)).T)
    if body.texture is not None:
        fields += [(name, "<f4") for name in ("s", "t")]
        columns += list(fitted(body.texture, where).T)
    vertices = np.empty(len(body.mesh.vertices), fields)
    for (name, _), column in zip(fields, columns, strict=True):
        vertices[name] = column
    faces = np.empty(len(body.mesh.faces), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, body.mesh.faces
    kinds = {"<f4": "float", "u1": "uchar"}
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    header += [f"property {kinds[kind]} {name}" for name, kind in fields]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]
    return "\n".join(header).encode() + vertices.tobytes() + faces.tobytes()


def to_light(
    colours: Float,  # (V, 3) or (V, 4) sRGB from 0 to 1
) -> Float:
    """Return colours in proportion to light, as a .glb has those of vertices (IEC 61966-2-1); opacity stays."""
    rgb = np.clip(colours[:, :3], 0, 1)
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.c_[light, colours[:, 3:]]


def from_light(
    colours: Float,  # (V, 3) or (V, 4) in proportion to light, from 0 to 1
) -> Float:
    """Return the inverse of `to_light`."""
    light = np.clip(colours[:, :3], 0, 1)
    rgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.c_[rgb, colours[:, 3:]]


def _material(colours: Float | None) -> Tree:
    """Return a dull material, grey or with the colours of the vertices.

    By the specification a surface without a material is metallic, and metal is black where it reflects nothing.
    """
    grey = 0.6 if colours is None else 1.0
    look = {"baseColorFactor": [grey, grey, grey, 1.0], "metallicFactor": 0.0, "roughnessFactor": 1.0}
    clear = colours is not None and (colours[:, 3:] < 1).any()
    return {"name": "plain", "pbrMetallicRoughness": look, "alphaMode": "BLEND" if clear else "OPAQUE"}


def format_glb(body: Dressed, where: object = None) -> bytes:
    """Format the mesh as binary glTF; a vertex is repeated for each of its texture coordinates."""
    body = body.split()
    places = fitted(body.mesh.vertices, where)
    parts = {"": body.mesh.faces.reshape(-1, 1).astype("<u4"), "POSITION": places}
    if body.colours is not None:
        parts["COLOR_0"] = fitted(to_light(body.colours), where)
    if body.texture is not None:
        # The origin of texture coordinates is at the upper left in glTF.
        parts["TEXCOORD_0"] = fitted(body.texture * [1, -1] + [0, 1], where)
    views: list[Tree] = []
    accessors: list[Tree] = []
    block = b""
    for rows in parts.values():
        views.append({"buffer": 0, "byteOffset": len(block), "byteLength": rows.nbytes})
        kind = FLOAT if rows.dtype == np.float32 else UNSIGNED
        width = "SCALAR" if rows.shape[1] == 1 else f"VEC{rows.shape[1]}"
        accessors.append(
            {"bufferView": len(accessors), "componentType": kind, "count": len(rows), "type": width}
        )
        block += rows.tobytes()
    accessors[1] |= {"min": places.min(axis=0).tolist(), "max": places.max(axis=0).tolist()}
    attributes = {name: number for number, name in enumerate(parts) if name}
    tree = {
        "asset": {"version": "2.0", "generator": "repose"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 0, "material": 0}]}],
        "materials": [_material(body.colours)],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(block)}],
    }
    text = json.dumps(tree, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = ((JSON_CHUNK, text), (BINARY_CHUNK, block))
    content = b"".join(struct.pack("<II", len(part), kind) + part for kind, part in chunks)
    return struct.pack("<4sII", b"glTF", 2, 12 + len(content)) + content
