"""Ray casting: find the point of a mesh that each sample of an image shows."""

from dataclasses import dataclass

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from repose.images.correspondence import Camera


@dataclass(frozen=True, eq=False)
class Hits:
    """The rays that meet the mesh.

    Attributes:
        ray: (N,) int64, numbers of the rays, ascending.
        face: (N,) int64.
        second, third: (N,) float32, barycentric weights of the triangle's second and third corner.
        depth: (N,) float32, z in metres.
    """

    ray: NDArray[np.int64]
    face: NDArray[np.int64]
    second: NDArray[np.float32]
    third: NDArray[np.float32]
    depth: NDArray[np.float32]


class Scene:
    """A mesh to cast rays at.

    Args:
        vertices: (V, 3) in the camera frame.
        triangles: (F, 3).
        shown: (F,) bool, faces that exist; the others are left out.
    """

    def __init__(self, vertices: NDArray, triangles: NDArray[np.integer], shown: NDArray[np.bool_]):
        self._numbers = np.flatnonzero(shown)
        self._scene = rtcore_scene.EmbreeScene()
        corners = np.ascontiguousarray(triangles[self._numbers], np.int32)
        TriangleMesh(self._scene, np.ascontiguousarray(vertices, np.float32), corners)

    def from_eye(self, rays: NDArray) -> Hits:
        """Cast rays (N, 3) with z = 1 from the camera."""
        found = self._run(np.zeros_like(rays, np.float32), rays)
        hit = np.flatnonzero(found["primID"] >= 0)
        return Hits(
            ray=hit,
            face=self._numbers[found["primID"][hit]],
            second=found["u"][hit],
            third=found["v"][hit],
            depth=found["tfar"][hit],  # the z component of the ray is 1
        )

    def blocked(self, points: NDArray, direction: NDArray) -> NDArray[np.bool_]:
        """Return whether anything lies between points (N, 3) and a light far away in `direction`."""
        rays = np.broadcast_to(direction.astype(np.float32), points.shape)
        return self._run(points.astype(np.float32), rays)["primID"] >= 0

    def _run(self, origins: NDArray, rays: NDArray) -> dict[str, NDArray]:
        return self._scene.run(*(np.ascontiguousarray(a, np.float32) for a in (origins, rays)), output=1)


def pixels_around(places: NDArray, height: int, width: int) -> NDArray[np.int64]:
    """Return rows and columns (N, 2) of the pixels in the box around places (M, 2), given as x and y."""
    low, high = np.floor(places.min(axis=0)).astype(int) - 1, np.ceil(places.max(axis=0)).astype(int) + 2
    (left, right), (top, bottom) = np.clip(np.stack([low, high], axis=1), 0, [[width], [height]])
    return np.mgrid[top:bottom, left:right].reshape(2, -1).T


def pixels_near(hit: NDArray[np.bool_], reach: int) -> NDArray[np.int64]:
    """Return rows and columns (N, 2) of the pixels of an image (H, W) within `reach` of a pixel that is hit."""
    return np.argwhere(maximum_filter(hit, 2 * reach + 1, mode="constant"))


def sample_rays(camera: Camera, pixels: NDArray[np.integer], per_side: int) -> NDArray[np.float32]:
    """Return rays (N · s², 3), z = 1, through s × s samples of each pixel (N, 2) (row, column), pixel by pixel."""
    offsets = (np.arange(per_side) + 0.5) / per_side - 0.5
    y = (pixels[:, :1] + offsets - camera.y) / camera.focal
    x = (pixels[:, 1:] + offsets - camera.x) / camera.focal
    rays = np.ones((len(pixels), per_side, per_side, 3), np.float32)
    rays[..., 0] = x[:, None, :]
    rays[..., 1] = y[:, :, None]
    return rays.reshape(-1, 3)
