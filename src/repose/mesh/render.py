"""Render triangle meshes by ray casting: orthographic, smoothly shaded, on white.

It runs on the CPU with embreex alone, needs no display, and gives the same image at every call.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh

from repose.errors import MeshError
from repose.mesh.mesh import Mesh
from repose.mesh.operators import bbox_centre, face_normals, vertex_normals

SKIN = (0.72, 0.76, 0.84)
Window = tuple[slice, slice]
_AMBIENT, _DIFFUSE, _INSIDE = 0.34, 0.66, 0.28


@dataclass(frozen=True)
class View:
    """The direction and the extent of a view.

    Attributes:
        yaw: degrees to the camera's right around a y-up subject facing +z; 0 is straight from the front.
        pitch: degrees from above.
        half_height: metres from the middle of the image to its top, or None to fit the mesh.
        centre: (x, y, z) in the middle of the image, or None for the middle of the mesh.
    """

    yaw: float = 25.0
    pitch: float = 8.0
    half_height: float | None = None
    centre: tuple[float, float, float] | None = None

    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the unit vectors of the image: right, up, and away from the camera."""
        yaw, pitch = np.radians([self.yaw, self.pitch])
        away = -np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
        return right, np.cross(right, away), away


def render(
    vertices: np.ndarray,
    faces: np.ndarray,
    size: tuple[int, int],
    view: View | None = None,
    colours: np.ndarray | None = None,
    samples: int = 2,
) -> np.ndarray:
    """Draw a mesh.

    Args:
        vertices: (V, 3) in metres, y up.
        faces: (F, 3) vertex numbers, outward; the inside of the surface is drawn dark.
        size: (height, width) in pixels.
        view: the camera; by default slightly from the side with the mesh filling the picture.
        colours: (V, 3) in [0, 1] for each vertex, or None for one neutral colour.
        samples: number of rays along each side of a pixel; 2 smooths the outline.

    Returns:
        (height, width, 3) uint8.

    Raises:
        MeshError: shapes do not fit, a vertex is not finite, or a face index is out of range.
    """
    return render_views(vertices, faces, size, [view or View()], colours, samples)[0]


def render_views(
    vertices: np.ndarray,
    faces: np.ndarray,
    size: tuple[int, int],
    views: Sequence[View],
    colours: np.ndarray | None = None,
    samples: int = 2,
) -> list[np.ndarray]:
    """Render a mesh from several sides; see `render`. The mesh is prepared for ray casting once."""
    mesh = Mesh(vertices, faces).validated("render")
    vertices, faces = mesh.vertices, mesh.faces
    if colours is not None and np.shape(colours) != vertices.shape:
        raise MeshError(
            f"colours {np.shape(colours)} do not fit {len(vertices)} vertices", "render", "give (V, 3)"
        )
    normals = vertex_normals(vertices, faces)
    scene = rtcore_scene.EmbreeScene()
    # The scene keeps no reference to the mesh, which must live until the rays are cast.
    held = TriangleMesh(scene, np.ascontiguousarray(vertices[faces], dtype=np.float32))
    pictures = []
    for view in views:
        origins, away, window = _rays(vertices, view, size[0] * samples, size[1] * samples)
        face, u, v = _cast(scene, origins, away)
        hit = np.flatnonzero(face >= 0)
        corners = faces[face[hit]]
        shares = np.stack([1 - u[hit] - v[hit], u[hit], v[hit]], axis=1)[:, :, None]
        base = np.asarray(SKIN) if colours is None else (np.asarray(colours)[corners] * shares).sum(axis=1)
        shade = _shade((normals[corners] * shares).sum(axis=1), view)
        from_behind = face_normals(vertices, corners) @ away > 0
        light = np.where(from_behind, _INSIDE, shade)
        seen = np.ones((len(origins), 3))
        seen[hit] = base * light[:, None]
        pictures.append(_framed(seen, window, size, samples))
    del held
    return pictures


def common_view(
    meshes: Sequence[np.ndarray], size: tuple[int, int], yaw: float = 25.0, pitch: float = 8.0
) -> View:
    """Return a view that shows each of these meshes (V, 3) whole, centred, and at one common scale."""
    view = View(yaw, pitch)
    return View(yaw, pitch, max(_half_height(mesh, view, size[1] / size[0]) for mesh in meshes))


def _middle(vertices: np.ndarray, view: View) -> np.ndarray:
    return bbox_centre(vertices) if view.centre is None else np.asarray(view.centre)


def _half_height(vertices: np.ndarray, view: View, aspect: float) -> float:
    """Return half the height of the image in metres that shows all vertices with a small margin."""
    right, up, _ = view.axes()
    around = vertices - _middle(vertices, view)
    return 1.05 * float(max(np.abs(around @ up).max(), np.abs(around @ right).max() / aspect, 1e-6))


def _rays(vertices: np.ndarray, view: View, height: int, width: int) -> tuple[np.ndarray, np.ndarray, Window]:
    """Return rays through the part of the image that the mesh can be in.

    Returns:
        Origins (N, 3) row by row from the top left, the common direction of all rays, and that part of the image.
    """
    right, up, away = view.axes()
    half = view.half_height or _half_height(vertices, view, width / height)
    middle = _middle(vertices, view)
    around = vertices - middle
    rows = half * (1 - (np.arange(height) + 0.5) * 2 / height)
    columns = half * ((np.arange(width) + 0.5) * 2 / height - width / height)
    window = _within(rows, around @ up), _within(columns, around @ right)
    back = float(np.linalg.norm(around, axis=1).max()) * 1.1 + 1e-3
    across = rows[window[0], None, None] * up + columns[None, window[1], None] * right
    return (middle - back * away + across).reshape(-1, 3), away, window


def _within(places: np.ndarray, wanted: np.ndarray) -> slice:
    """Return the range of sorted `places` that lies within that of `wanted`; never empty."""
    inside = np.flatnonzero((places >= wanted.min()) & (places <= wanted.max()))
    return slice(inside[0], inside[-1] + 1) if len(inside) else slice(0, 1)


def _cast(scene: rtcore_scene.EmbreeScene, origins: np.ndarray, away: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the face hit by each ray (-1: none), and its barycentric u (second corner) and v (third corner)."""
    directions = np.ascontiguousarray(np.broadcast_to(away, origins.shape), np.float32)
    hits = scene.run(np.ascontiguousarray(origins, np.float32), directions, output=1)
    return hits["primID"], hits["u"], hits["v"]


def _framed(seen: np.ndarray, window: Window, size: tuple[int, int], samples: int) -> np.ndarray:
    """Return the image (height, width, 3) uint8: the colours (N, 3) that the rays have seen, with white around."""
    picture = np.ones((size[0] * samples, size[1] * samples, 3))
    picture[window] = seen.reshape(picture[window].shape)
    parts = [picture[i::samples, j::samples] for i in range(samples) for j in range(samples)]
    return np.round(np.clip(sum(parts) / len(parts), 0, 1) * 255).astype(np.uint8)


def _shade(normals: np.ndarray, view: View) -> np.ndarray:
    """Return the brightness under a lamp above and to the left of the camera."""
    right, up, away = view.axes()
    lamp = -0.8 * away + 0.5 * up - 0.4 * right
    lamp /= np.linalg.norm(lamp)
    lengths = np.maximum(np.linalg.norm(normals, axis=1), 1e-30)
    return _AMBIENT + _DIFFUSE * np.clip(normals @ lamp / lengths, 0, 1)
