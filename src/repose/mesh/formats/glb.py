"""Binary glTF (.glb), through trimesh: all triangle meshes of the scene as one, in the scene's coordinates.

Vertices stay as they are stored: a glTF file repeats a vertex wherever its texture coordinates jump. Materials
and images are not opened.
"""

from __future__ import annotations

import io
import logging

import numpy as np

from repose.errors import MeshError
from repose.mesh.mesh import Mesh


def parse_glb(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of a .glb file.

    Raises:
        MeshError: it is not binary glTF, is damaged, or holds no triangles.
    """
    import trimesh  # half a second, which other formats need not cost

    if not data.startswith(b"glTF"):
        raise MeshError("not a binary glTF file", where, "a .glb starts with `glTF`; export it again")
    logging.getLogger("trimesh").setLevel(logging.CRITICAL)  # it logs what it then raises
    try:
        scene = trimesh.load_scene(
            io.BytesIO(data), file_type="glb", process=False, skip_materials=True, maintain_order=True
        )
        order = {name: place for place, name in enumerate(scene.geometry)}  # that of the file
        nodes = sorted((scene.graph[node] for node in scene.graph.nodes_geometry), key=lambda n: order[n[1]])
        parts = [(matrix, scene.geometry[name]) for matrix, name in nodes]
    except Exception as error:  # a damaged file can raise nearly anything
        raise MeshError(f"damaged, or compressed: {error}", where, "export it again without Draco") from None
    vertices, faces, count = [], [], 0
    for matrix, part in parts:
        if isinstance(part, trimesh.Trimesh):
            vertices.append(trimesh.transform_points(part.vertices, matrix))
            faces.append(np.asarray(part.faces) + count)
            count += len(part.vertices)
    if not count:
        raise MeshError("the scene has no triangle mesh", where)
    return Mesh(np.concatenate(vertices), np.concatenate(faces))
