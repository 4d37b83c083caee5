"""Ray casting: which point of a mesh each sample of an image shows."""

from dataclasses import dataclass

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from numpy.typing import NDArray

from repose.images.correspondence import Camera


@dataclass(frozen=True, eq=False)
class Hits:
    """The rays that meet the mesh.

    Attributes:
        ray: (N,) int64, their numbers, ascending.
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
        shown: (F,) bool; the others are not there.
    """

    def __init__(self, vertices: NDArray, triangles: NDArray[np.integer], shown: NDArray[np.bool_]):
        self._numbers = np.flatnonzero(shown)
        self._scene = rtcore_scene.EmbreeScene()
        TriangleMesh(self._scene, np.ascontiguousarray(vertices[triangles[self._numbers]], np.float32))

    def from_eye(self, rays: NDArray) -> Hits:
        """Cast rays (N, 3) with z = 1 from the camera."""
        found = self._run(np.zeros_like(rays, np.float32), rays)
        hit = np.flatnonzero(found["primID"] >= 0)
        return Hits(
            ray=hit,
            face=self._numbers[found["primID"][hit]],
            second=found["u"][hit],
            third=found["v"][hit],
            depth=found["tfar"][hit],  # z = 1 per unit along the ray
        )

    def blocked(self, points: NDArray, direction: NDArray) -> NDArray[np.bool_]:
        """Whether anything lies between points (N, 3) and a light far away in `direction`."""
        rays = np.broadcast_to(direction.astype(np.float32), points.shape)
        return self._run(points.astype(np.float32), rays)["primID"] >= 0

    def _run(self, origins: NDArray, rays: NDArray) -> dict[str, NDArray]:
        return self._scene.run(*(np.ascontiguousarray(a, np.float32) for a in (origins, rays)), output=1)


@dataclass(frozen=True)
class Window:
    """A rectangle of an image's pixels: rows and columns from the first to before the last."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, places: NDArray, height: int, width: int) -> "Window":
        """All pixels near places (N, 2) that are in the image."""
        low, high = np.floor(places.min(axis=0)).astype(int) - 1, np.ceil(places.max(axis=0)).astype(int) + 2
        left, right = np.clip([low[0], high[0]], 0, width)
        top, bottom = np.clip([low[1], high[1]], 0, height)
        return cls(int(top), int(bottom), int(left), int(right))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left


def sample_rays(camera: Camera, window: Window, per_side: int) -> NDArray[np.float32]:
    """Rays (h · w · s², 3) with z = 1 through s × s samples of each pixel of a window, pixel by pixel.

    With an odd `per_side` the middle sample of a pixel is its centre.
    """
    offsets = (np.arange(per_side) + 0.5) / per_side - 0.5
    x = (np.arange(window.left, window.right)[:, None] + offsets - camera.x) / camera.focal
    y = (np.arange(window.top, window.bottom)[:, None] + offsets - camera.y) / camera.focal
    rays = np.ones((*window.shape, per_side, per_side, 3), np.float32)
    rays[..., 0] = x[None, :, None, :]
    rays[..., 1] = y[:, None, :, None]
    return rays.reshape(-1, 3)
