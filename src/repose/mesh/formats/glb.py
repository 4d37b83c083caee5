"""Binary glTF (.glb): all triangle meshes of the scene as one, in the scene's coordinates, at rest.

Vertices stay as they are stored: a glTF file repeats a vertex wherever its texture coordinates jump, and shares them
between the primitives of a mesh. Skinned meshes are placed by their joints, and morph targets have the weights, as they
are in the file. Materials, images and animations are not opened.

trimesh's reader is not used: it does not tell where in the file a vertex came from, ignores skins, and repeats vertices
that primitives share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.mesh.formats.gltf import Float, Gltf, Tree, item, refuse_compressed
from repose.mesh.mesh import Mesh
from repose.reading import foreign

# limit on vertices and face corners in the scene; without it a file could have one per byte
MAX_PLACED = 1 << 23
MAX_BENT = 1 << 21  # limit on vertices with a matrix of their own
TRIANGLES, STRIP, FAN = 4, 5, 6
STIFF = 1e-5  # if joint matrices differ by less, the skin is taken to be in the modelled pose


@dataclass(frozen=True)
class Part:
    """The vertices of one POSITION accessor at one node of the scene.

    Attributes:
        node, mesh, accessor: numbers in the file.
        first, count: its range of vertices in the whole mesh.
        morph: (count, 3) or (3,), how far morph targets move its vertices before they are placed.
        linear, offset: (3, 3) and (3,), or one for each vertex, from the accessor's space to the scene's.
        mirrored: whether they turn the surface inside out; its faces are reversed then.
        skinned: whether it is skinned.
    """

    node: int
    mesh: int
    accessor: int
    first: int
    count: int
    morph: Float
    linear: Float
    offset: Float
    mirrored: bool
    skinned: bool

    def placed(self, local: Float) -> Float:
        """Return the vertices (N, 3) in scene coordinates; unlike in a matrix product, equal vertices stay equal."""
        return (self.linear * (local + self.morph)[..., None, :]).sum(-1) + self.offset

    def local(self, placed: Float, rows: NDArray[np.bool_]) -> Float:
        """Return the vertices (N, 3) chosen by `rows` in the accessor's space.

        Raises:
            LinAlgError: the part is flat in the scene.
        """
        linear, offset, morph = (
            x if x.ndim < y else x[rows] for x, y in ((self.linear, 3), (self.offset, 2), (self.morph, 2))
        )
        found = np.linalg.solve(linear, (placed[rows] - offset)[..., None])[..., 0]
        return (found - morph).astype(np.float64)

    @property
    def vertices(self) -> slice:
        """The range of its vertices in the whole mesh."""
        return slice(self.first, self.first + self.count)


@dataclass(frozen=True)
class Scene:
    """A file's description and numbers, the origin of its vertices, and the mesh that they form."""

    gltf: Gltf
    parts: list[Part]
    mesh: Mesh


def parse_glb(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of a .glb file.

    Raises:
        MeshError: it is not binary glTF, is damaged, compressed, in several files, or holds no triangles.
    """
    return read_scene(data, where).mesh


def read_scene(data: bytes, where: object = "<bytes>") -> Scene:
    """Read the bytes of a .glb file; raises as `parse_glb`."""
    if not data.startswith(b"glTF"):
        raise MeshError("not a binary glTF file", where, "a .glb starts with `glTF`; export it again")
    hint = "export it again as one .glb without compression"
    with (
        foreign(where, "damaged, compressed or in several files", hint, MeshError),
        np.errstate(all="ignore"),
    ):
        gltf = Gltf(data)
        vertices, faces, parts = _read(gltf)
    if not parts:
        raise MeshError("the scene has no triangle mesh", where)
    return Scene(gltf, parts, Mesh(np.concatenate(vertices), np.concatenate(faces)))


def placed_vertices(gltf: Gltf) -> Float:  # (V, 3)
    """Return the vertices of a scene as its nodes and joints place them at present.

    Raises:
        Exception: of any kind, for a damaged file.
    """
    return np.concatenate(_read(gltf)[0])


def is_surface(primitive: Tree) -> bool:
    """Return whether a primitive is a surface, not points or lines."""
    return (
        primitive.get("mode", TRIANGLES) in (TRIANGLES, STRIP, FAN) and "POSITION" in primitive["attributes"]
    )


def _read(gltf: Gltf) -> tuple[list[Float], list[np.ndarray], list[Part]]:
    places, nodes, meshes = gltf.places(), gltf.tree.get("nodes", []), gltf.tree.get("meshes", [])
    vertices, faces, parts = [], [], []
    count = corners = 0
    most = max(MAX_PLACED, len(gltf.block))
    # Meshes come in the order of the file, and several instances of a mesh in the order of the scene.
    for node in sorted((n for n in places if "mesh" in nodes[n]), key=lambda n: nodes[n]["mesh"]):
        number = nodes[node]["mesh"]
        known: dict[int, Part] = {}
        for primitive in filter(is_surface, item(meshes, number)["primitives"]):
            refuse_compressed(primitive)
            accessor = primitive["attributes"]["POSITION"]
            if accessor not in known:
                local = gltf.values(accessor)
                linear, offset = _placing(gltf, places, nodes[node], node, primitive, len(local))
                morph = gltf.displacement(node, primitive, "POSITION")
                if local.shape[1] != 3 or morph.shape not in ((3,), local.shape):
                    raise ValueError(
                        "a place that is not of three numbers, or its morph targets are of others"
                    )
                mirrored = bool(np.linalg.det(linear if linear.ndim == 2 else linear.mean(0)) < 0)
                held = linear, offset, mirrored, "skin" in nodes[node]
                part = Part(node, number, accessor, count, len(local), morph, *held)
                vertices.append(part.placed(local.astype(np.float64)))
                known[accessor] = part
                parts.append(part)
                count += len(local)
            part = known[accessor]
            found = _faces(gltf, primitive, part.count)
            corners += found.size
            if count + corners > most:
                raise ValueError(f"a scene of more than {most} vertices and corners of faces")
            faces.append((found[:, ::-1] if part.mirrored else found) + part.first)
    return vertices, faces, parts


def _faces(gltf: Gltf, primitive: Tree, count: int) -> np.ndarray:
    """Return the faces (F, 3) int64 in the numbering of the primitive's vertices."""
    indices = np.arange(count)
    if "indices" in primitive:
        indices = gltf.values(primitive["indices"])[:, 0].astype(np.int64)
    if indices.size and indices.max() >= count:
        raise ValueError(f"a face names vertex {indices.max()}, but there are {count}")
    mode = primitive.get("mode", TRIANGLES)
    if mode == TRIANGLES:
        if len(indices) % 3:
            raise ValueError("a face has fewer than 3 corners")
        return indices.reshape(-1, 3)
    if mode == FAN:
        return np.stack([np.full(max(len(indices) - 2, 0), indices[0]), indices[1:-1], indices[2:]], 1)
    strip = np.stack([indices[:-2], indices[1:-1], indices[2:]], 1)
    strip[1::2] = strip[1::2, ::-1]
    return strip


def _placing(
    gltf: Gltf, places: dict[int, Float], about: Tree, node: int, primitive: Tree, count: int
) -> tuple[Float, Float]:
    """Return the affine maps of a primitive's vertices into the scene: (3, 3) and (3,), or one for each vertex."""
    matrix = places[node]
    if "skin" in about:
        matrix = _held(gltf, places, item(gltf.tree["skins"], about["skin"]), primitive["attributes"], count)
    if not np.isfinite(matrix).all():
        raise ValueError(f"node {node} has a matrix that is not finite")
    return matrix[..., :3, :3], matrix[..., :3, 3]


def _held(gltf: Gltf, places: dict[int, Float], skin: Tree, attributes: dict[str, Any], count: int) -> Float:
    """Return the matrices (N, 4, 4) of a skin's vertices, or a single (4, 4) if it is the same for all.

    The transform of a skinned mesh's node is ignored (glTF 2.0, section 3.7.3.3).
    """
    joints = np.stack([places[joint] for joint in skin["joints"]])
    if "inverseBindMatrices" in skin:
        bind = gltf.values(skin["inverseBindMatrices"])
        joints = joints @ bind[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1)
    if np.ptp(joints, axis=0).max() <= STIFF * np.abs(joints).max():
        return joints[0]
    if count > MAX_BENT:
        raise ValueError(f"a bent skin of more than {MAX_BENT} vertices")
    matrices, total = np.zeros((count, 4, 4)), np.zeros((count, 1, 1))
    for which, share in _influences(gltf, attributes):
        matrices += share[:, None, None] * joints[which]
        total += share[:, None, None]
    free = ~(total > 0)[:, 0, 0]
    matrices[free], total[free] = joints[0], 1  # no joint holds these vertices
    return matrices / total


def _influences(gltf: Gltf, attributes: dict[str, Any]) -> Iterator[tuple[np.ndarray, Float]]:
    """Yield the joints (N,) and weights (N,) of all vertices, four times for each pair of attributes."""
    number = 0
    while f"JOINTS_{number}" in attributes:
        which = gltf.values(attributes[f"JOINTS_{number}"])
        shares = gltf.values(attributes[f"WEIGHTS_{number}"]).astype(np.float64)
        yield from zip(which.T, shares.T, strict=True)
        number += 1
