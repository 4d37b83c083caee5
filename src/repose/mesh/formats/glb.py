"""Binary glTF (.glb), through trimesh: all triangle meshes of the scene as one, in the scene's coordinates.

Vertices stay as they are stored: a glTF file repeats a vertex wherever its texture coordinates jump. Materials
and images are not opened.
"""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import numpy as np

from repose.errors import MeshError
from repose.mesh.mesh import Mesh

MAX_NODES = 10_000
MAX_PLACED = 1 << 23
"""Vertices and corners of all meshes in their places, which take 35 bytes each; a larger file may have more."""
_TRIANGLES = 4  # a glTF mode: three corners a face; of strips and fans each corner begins one


def parse_glb(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of a .glb file.

    Raises:
        MeshError: it is not binary glTF, is damaged, or holds no triangles.
    """
    import trimesh  # half a second, which other formats need not cost

    if not data.startswith(b"glTF"):
        raise MeshError("not a binary glTF file", where, "a .glb starts with `glTF`; export it again")
    logging.getLogger("trimesh").setLevel(logging.CRITICAL)  # it logs what it then raises
    vertices, faces, count = [], [], 0
    try:
        _check_costs(data)
        scene = trimesh.load_scene(
            io.BytesIO(data), file_type="glb", process=False, skip_materials=True, maintain_order=True
        )
        order = {name: place for place, name in enumerate(scene.geometry)}  # that of the file
        nodes = sorted((scene.graph[node] for node in scene.graph.nodes_geometry), key=lambda n: order[n[1]])
        for matrix, name in nodes:
            part = scene.geometry[name]
            if isinstance(part, trimesh.Trimesh):
                with np.errstate(all="ignore"):  # what is not finite is refused with the mesh
                    vertices.append(trimesh.transform_points(part.vertices, matrix))
                faces.append(np.asarray(part.faces) + count)
                count += len(part.vertices)
    except Exception as error:  # a damaged file can raise nearly anything
        raise MeshError(f"damaged, or compressed: {error}", where, "export it again without Draco") from None
    if not count:
        raise MeshError("the scene has no triangle mesh", where)
    return Mesh(np.concatenate(vertices), np.concatenate(faces))


def _size(part: dict[str, Any], accessors: list[dict[str, Any]]) -> int:
    """Vertices and corners of faces of one part of a mesh, and itself."""
    vertices = accessors[part["attributes"]["POSITION"]]["count"]
    corners = accessors[part["indices"]]["count"] if "indices" in part else vertices
    return int(1 + vertices + corners * (1 if part.get("mode", _TRIANGLES) == _TRIANGLES else 3))


def _check_costs(data: bytes) -> None:
    """Refuse a description that makes much of few bytes: memory is 300 MB, or 50 times the file, at most.

    Raises:
        Exception: of any kind, also where the description is damaged.
    """
    tree = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    accessors, nodes = tree["accessors"], tree["nodes"]
    if sum(a["count"] for a in accessors) > 4 * len(data) or min(a["count"] for a in accessors) < 0:
        raise ValueError("it announces more numbers than it has bytes")
    sizes = [sum(_size(part, accessors) for part in mesh["primitives"]) for mesh in tree["meshes"]]
    # The same mesh can stand in many places, and the same numbers in many meshes.
    placed = max(sum(sizes), sum(sizes[node["mesh"]] for node in nodes if "mesh" in node))
    if len(nodes) > MAX_NODES or placed > max(MAX_PLACED, len(data) // 2):
        raise ValueError(f"a scene of {len(nodes)} nodes and {placed} vertices and corners of faces")
    seen: set[int] = set()
    ahead = [node for scene in tree["scenes"] for node in scene.get("nodes", [])]
    while ahead:
        node = ahead.pop()
        if node in seen:
            raise ValueError(f"node {node} stands in two places")
        seen.add(node)
        ahead += nodes[node].get("children", [])
