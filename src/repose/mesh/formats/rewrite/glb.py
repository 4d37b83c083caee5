"""Rewrite binary glTF with other positions, and the normals and tangents that depend on them.

Everything else stays: texture coordinates, colours, joints and weights, morph targets, images, materials, nodes,
animations, extras. Morph targets with a weight in the file move what is written, so it is written without their share.
Numbers are replaced in place where nothing else uses them. Where a mesh has several instances, or its positions are
quantised to integers, new numbers are appended at the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.mesh.formats.dressed import Dressed, from_light
from repose.mesh.formats.files import MAX_BYTES
from repose.mesh.formats.glb import Part, Scene, is_surface, read_scene
from repose.mesh.formats.gltf import FLOAT, Float, Gltf, Layout, Tree
from repose.mesh.formats.rewrite.normals import recomputed, turned_with
from repose.mesh.formats.rewrite.splice import fitted
from repose.mesh.mesh import Mesh
from repose.mesh.operators import unit
from repose.reading import foreign

ARRAY = 34962  # target of a buffer view that holds vertices
ELSEWHERE = -1, -1, ""
MAX_ACROSS = 64  # largest number of interleaved attributes in one stride


def rewrite(data: bytes, mesh: Mesh, vertices: np.ndarray, where: object = None) -> bytes:
    """Return the content of a .glb file with other positions.

    Args:
        data: the present content.
        mesh: the mesh that `parse_glb` returns for it.
        vertices: (V, 3) the new positions, in the coordinates of the scene. They are written in the space of each node,
            or of the bind pose if the mesh is skinned. Vertices that did not move keep their bytes.
        where: the file, for errors.

    Raises:
        MeshError: a part that moves is flat in the scene, or the result is too large.
    """
    scene = read_scene(data, where)
    hint = "give its parts scales that are not 0, and export it again"
    with foreign(where, "other positions do not fit in", hint, MeshError), np.errstate(all="ignore"):
        return _rewritten(scene, mesh, vertices)


def _rewritten(scene: Scene, mesh: Mesh, vertices: Float) -> bytes:
    moved = (vertices != mesh.vertices).any(axis=1)
    surfaces = list(surfaces_of(scene))
    writer = Writer(scene.gltf)
    for surface in surfaces:
        part = surface.part
        if moved[part.vertices].any():
            rows, local = moved[part.vertices], scene.gltf.values(part.accessor).astype(np.float64)
            local[rows] = part.local(vertices[part.vertices], rows)
            writer.put(surface, "POSITION", rows, local)
    names = {name for surface in surfaces for name in surface.attributes}
    if "NORMAL" in names:
        old = gathered(scene, surfaces, "NORMAL", lambda part, n: unit(times(transposed_inverse(part), n)))
        normals, new = recomputed(mesh, vertices, old)
        for surface in surfaces:
            _put(writer, surface, "NORMAL", new, normals, lambda part, n: times(transposed(part), n))
        if "TANGENT" in names:
            old = gathered(scene, surfaces, "TANGENT", lambda part, t: times(part.linear, t))
            tangents = turned_with(mesh, vertices, old, normals)
            new &= (tangents != 0).any(axis=1)
            for surface in surfaces:
                _put(writer, surface, "TANGENT", new, tangents, lambda part, t: times(_inverse(part), t))
    return writer.packed()


def dressed(data: bytes, mesh: Mesh) -> Dressed:
    """Return the mesh of a .glb file with colours (white by default) and texture coordinates (0 by default)."""
    scene = read_scene(data)
    count = len(mesh.vertices)
    found = {"COLOR_0": np.ones((count, 4)), "TEXCOORD_0": np.tile([0.0, 1.0], (count, 1))}
    surfaces = list(surfaces_of(scene))
    for surface in surfaces:
        for name in found.keys() & surface.attributes.keys():
            values = scene.gltf.values(surface.attributes[name])[:, : found[name].shape[1]]
            found[name][surface.part.vertices, : values.shape[1]] = values
    colours, texture = (
        values if any(name in surface.attributes for surface in surfaces) else None
        for name, values in found.items()
    )
    if colours is not None:
        colours = from_light(colours if (colours[:, 3] < 1).any() else colours[:, :3])
    # The origin of texture coordinates is at the upper left in glTF.
    return Dressed(mesh, colours, None if texture is None else texture * [1, -1] + [0, 1], mesh.faces)


@dataclass(frozen=True)
class Surface:
    """A primitive of a part: its place in the mesh, and its attributes as stored in the file."""

    part: Part
    number: int
    attributes: dict[str, int]


def surfaces_of(scene: Scene) -> Iterator[Surface]:
    """Yield the surfaces of a scene, in the order of its vertices."""
    for part in scene.parts:
        for number, primitive in enumerate(scene.gltf.tree["meshes"][part.mesh]["primitives"]):
            if is_surface(primitive) and primitive["attributes"]["POSITION"] == part.accessor:
                yield Surface(part, number, dict(primitive["attributes"]))


def gathered(
    scene: Scene, surfaces: list[Surface], name: str, placed: Callable[[Part, Float], Float]
) -> Float:  # (V, 3)
    """Return an attribute of all vertices, in the scene's coordinates; zero if there is none."""
    found = np.zeros((len(scene.mesh.vertices), 3))
    for surface in surfaces:
        if name in surface.attributes:
            values = stored(scene.gltf, surface, name) + shift(scene.gltf, surface, name)
            found[surface.part.vertices] = np.nan_to_num(placed(surface.part, values))
    return found


def stored(gltf: Gltf, surface: Surface, name: str) -> Float:
    """Return an attribute (N, 3) of a primitive as it is in the file."""
    return gltf.values(surface.attributes[name])[:, :3].astype(np.float64)


def shift(gltf: Gltf, surface: Surface, name: str) -> Float:
    """Return how far morph targets move an attribute of a primitive at present: (N, 3), or zeros (3,)."""
    primitive = gltf.tree["meshes"][surface.part.mesh]["primitives"][surface.number]
    return gltf.displacement(surface.part.node, primitive, name)


def _under(shown: Float, shift: Float) -> Float:
    """Return the unit directions (N, 3) that point like those shown (N, 3), also of unit length, after a shift."""
    along = (shown * shift).sum(-1, keepdims=True)
    room = np.maximum(along**2 + 1 - (shift**2).sum(-1, keepdims=True), 0)
    return unit((along + np.sqrt(room)) * shown - shift)


def _put(
    writer: Writer,
    surface: Surface,
    name: str,
    new: NDArray[np.bool_],
    values: Float,
    local: Callable[[Part, Float], Float],
) -> None:
    """Write the new directions of a primitive."""
    rows = new[surface.part.vertices]
    if name in surface.attributes and rows.any():
        changed = writer.gltf.values(surface.attributes[name]).astype(np.float64)
        shown = unit(local(surface.part, values[surface.part.vertices]))
        changed[rows, :3] = _under(shown, shift(writer.gltf, surface, name))[rows]
        writer.put(surface, name, rows, changed)


class Writer:
    """A file whose numbers are replaced one attribute after another."""

    def __init__(self, gltf: Gltf):
        self.gltf, self.tree = gltf, gltf.tree
        self.block = bytearray(gltf.block)
        self.nodes = Counter(node["mesh"] for node in self.tree["nodes"] if "mesh" in node)
        self.uses = _uses(self.tree)
        self.alone = _alone(gltf)
        self.copies: dict[int, Tree] = {}
        self.added: dict[tuple[int, int, str], int] = {}

    def put(self, surface: Surface, name: str, rows: NDArray[np.bool_], values: Float) -> None:
        """Replace numbers of a primitive, in place if nothing else uses them.

        Args:
            surface: the primitive.
            name: name of the attribute.
            rows: (N,) which elements change; the others keep their bytes if possible.
            values: (N, width) all elements.
        """
        accessor = surface.attributes[name]
        numbers = fitted(values)
        layout = self.gltf.layout(accessor)
        if layout and self._own(surface, name):
            layout.view(self.block)[rows] = numbers[rows]
            bounded = self.tree["accessors"][accessor]
        else:
            key = surface.part.node, accessor, name
            if key not in self.added:
                self.added[key] = self.append(numbers)
            self.primitive(surface)["attributes"][name] = self.added[key]
            bounded = self.tree["accessors"][self.added[key]]
        if name == "POSITION" or "min" in bounded:
            bounded |= bounds(numbers)

    def packed(self) -> bytes:
        """Return the whole file.

        Raises:
            ValueError: the file is larger than readers accept.
        """
        if len(self.gltf.chunks[0][1]) * len(self.copies) + len(self.block) > MAX_BYTES:
            raise ValueError("its meshes stand in too many places")
        return self.gltf.packed(self.block)

    def _own(self, surface: Surface, name: str) -> bool:
        """Return whether only this attribute of this part of the scene uses these numbers."""
        part, accessor = surface.part, surface.attributes[name]
        about = self.tree["accessors"][accessor]
        return (
            about["componentType"] == FLOAT
            and "sparse" not in about
            and self.nodes[part.mesh] == 1
            and self.uses[accessor] == {(part.mesh, part.accessor, name)}
            and accessor in self.alone
        )

    def append(self, numbers: np.ndarray, target: int | None = ARRAY) -> int:
        """Append (N, width) float32 numbers and return their accessor; `target` is that of the buffer view."""
        self.block += bytes(-len(self.block) % 4)
        view = {"buffer": 0, "byteOffset": len(self.block), "byteLength": numbers.nbytes}
        if target is not None:
            view["target"] = target
        self.block += numbers.astype("<f4").tobytes()
        self.tree["buffers"][0]["byteLength"] = len(self.block)
        self.tree["bufferViews"].append(view)
        accessor = {
            "bufferView": len(self.tree["bufferViews"]) - 1,
            "componentType": FLOAT,
            "count": len(numbers),
            "type": "SCALAR" if numbers.shape[1] == 1 else f"VEC{numbers.shape[1]}",
        }
        self.tree["accessors"].append(accessor)
        return len(self.tree["accessors"]) - 1

    def primitive(self, surface: Surface) -> Tree:
        """Return the description of a primitive, which belongs to its node alone."""
        node, number = surface.part.node, surface.part.mesh
        if self.nodes[number] > 1 and node not in self.copies:
            mesh = self.tree["meshes"][number]
            parts = [{**p, "attributes": dict(p["attributes"])} for p in mesh["primitives"]]
            self.copies[node] = {**mesh, "primitives": parts}
            self.tree["meshes"].append(self.copies[node])
            self.tree["nodes"][node]["mesh"] = len(self.tree["meshes"]) - 1
        mesh = self.copies.get(node, self.tree["meshes"][number])
        found: Tree = mesh["primitives"][surface.number]
        return found


def _alone(gltf: Gltf) -> set[int]:
    """Return the accessors that share no byte with another accessor or an image; none if too many overlap."""
    ranges: list[tuple[int, Layout]] = []
    for number in range(len(gltf.tree["accessors"])):
        # Unused accessors may have any type.
        with suppress(ValueError, KeyError, TypeError, IndexError):
            if layout := gltf.layout(number):
                ranges.append((number, layout))
    for image in gltf.tree.get("images", []):
        if "bufferView" in image:
            start, length, _ = gltf.span(image["bufferView"])
            ranges += [(-1, Layout(start, length, 1, np.dtype("u1"), length))] * (length > 0)
    alone, across = {number for number, _ in ranges}, ranges[:0]
    for number, layout in sorted(ranges, key=lambda found: found[1].offset):
        across = [other for other in across if other[1].end > layout.offset]
        if len(across) > MAX_ACROSS:
            return set()
        for other, there in across:
            if layout.overlaps(there):
                alone -= {number, other}
        across.append((number, layout))
    return alone


def _uses(tree: Tree) -> dict[int, set[tuple[int, int, str]]]:
    """Return the users of each accessor: mesh, primitive and attribute; or something else."""
    found: dict[int, set[tuple[int, int, str]]] = defaultdict(set)
    for number, mesh in enumerate(tree["meshes"]):
        for primitive in mesh["primitives"]:
            places = primitive["attributes"].get("POSITION", -1)
            for name, accessor in primitive["attributes"].items():
                # Lines and points do not move with a surface.
                found[accessor].add((number, places, name if is_surface(primitive) else ""))
            for target in primitive.get("targets", []):
                for accessor in target.values():
                    found[accessor].add(ELSEWHERE)
            if "indices" in primitive:
                found[primitive["indices"]].add(ELSEWHERE)
    for skin in tree.get("skins", []):
        found[skin.get("inverseBindMatrices", -1)].add(ELSEWHERE)
    for animation in tree.get("animations", []):
        for sampler in animation["samplers"]:
            found[sampler["input"]].add(ELSEWHERE)
            found[sampler["output"]].add(ELSEWHERE)
    return found


def bounds(numbers: np.ndarray) -> Tree:
    """Return the least and largest of (N, width) numbers, in the form that an accessor states them."""
    return {"min": numbers.min(axis=0).tolist(), "max": numbers.max(axis=0).tolist()}


def times(matrices: Float, rows: Float) -> Float:
    """Multiply each row (N, 3) by the matrix (3, 3), or by its own (N, 3, 3); equal rows stay equal."""
    found: Float = (matrices * rows[..., None, :]).sum(-1)
    return found


def _inverse(part: Part) -> Float:
    return np.linalg.pinv(part.linear).astype(np.float64)


def transposed(part: Part) -> Float:
    """Return the map of normals from the scene to the space of a part, up to their lengths."""
    return part.linear.swapaxes(-1, -2)


def transposed_inverse(part: Part) -> Float:
    """Return the map of normals from a part to the scene, up to their lengths."""
    return _inverse(part).swapaxes(-1, -2)
