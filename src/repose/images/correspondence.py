"""Correspondence between two images of the same mesh: where the surface seen in one is in the other.

Camera frame of a view: metres, x to the right, y down, z away from the camera; pixel = focal · (x, y) / z + centre.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repose.images.classes import BACKGROUND, HIDDEN, VISIBLE

BARYCENTRIC_UNIT = 65535  # a stored barycentric coordinate of 1
TOLERANCE = 2e-3  # metres by which a point may lie behind the depth map, in addition to the slope of its face
STEEPEST = 10.0  # metres of depth per metre across, beyond which the slope of a face is not used
SLIGHT = 0.01  # share of a bilinear sample below which a pixel does not count


@dataclass(frozen=True)
class Camera:
    """A pinhole: focal length and principal point in pixels."""

    focal: float
    x: float
    y: float

    def project(self, points: NDArray) -> NDArray[np.float64]:
        """Return the pixels (N, 2) of points (N, 3) of the camera frame."""
        centre = np.array([self.x, self.y])
        return self.focal * points[:, :2].astype(np.float64) / points[:, 2:] + centre

    def rays(self, pixels: NDArray) -> NDArray[np.float64]:
        """Return directions (N, 3) with z = 1 through pixels (N, 2)."""
        flat = (pixels - np.array([self.x, self.y])) / self.focal
        return np.concatenate([flat, np.ones((len(flat), 1))], axis=1)


@dataclass(frozen=True, eq=False)
class View:
    """The geometry seen at the centre of each pixel of an image.

    Attributes:
        face: (H, W) int32, number of the triangle; -1 for background.
        barycentric: (H, W, 2), weights of the triangle's second and third corner.
        depth: (H, W) float32, z in metres; infinite for background.
        vertices: (V, 3) float32, the mesh in the camera frame.
        camera: the pinhole.
    """

    face: NDArray[np.int32]
    barycentric: NDArray
    depth: NDArray[np.float32]
    vertices: NDArray[np.float32]
    camera: Camera


def correspond(
    source: View, target: View, triangles: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the flow from target to source, and its visibility; see `ImageStore.flow`.

    The surface point of a target pixel is located in the source by its face and barycentric coordinates. It is visible
    there if it is in the frame, shows the same side to the camera, and is not behind any of the pixels that a bilinear
    sample at that place would read.
    """
    height, width = target.face.shape
    flow = np.zeros((height, width, 2), np.float32)
    visibility = np.full((height, width), BACKGROUND, np.uint8)
    body = target.face >= 0
    pixels = np.argwhere(body)[:, ::-1].astype(np.float64)  # x, y
    corners = triangles[target.face[body]]
    second, third = target.barycentric[body].astype(np.float64).T
    weights = np.stack([1 - second - third, second, third], axis=1)
    there = source.vertices.astype(np.float64)[corners]  # (N, 3, 3)
    points = np.einsum("nk,nkd->nd", weights, there)
    places = source.camera.project(points)
    flow[body] = places - pixels
    normal, normal_here = _normals(there), _normals(target.vertices.astype(np.float64)[corners])
    side = np.einsum("nd,nd->n", normal, points)
    side_here = np.einsum("nd,nd->n", normal_here, target.camera.rays(pixels))
    seen = (
        (points[:, 2] > 0)
        & _inside(places, source.face.shape)
        & (np.sign(side) == np.sign(side_here))
        & _in_front(source, points, places, normal, side)
    )
    visibility[body] = np.where(seen, VISIBLE, HIDDEN)
    return flow, visibility


def _normals(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _inside(places: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    margin = 1e-3  # rounding of the stored coordinates
    low, high = -margin, np.array([shape[1], shape[0]]) - 1 + margin
    return np.logical_and.reduce((places >= low) & (places <= high), axis=1)


def _in_front(
    source: View,
    points: NDArray[np.float64],
    places: NDArray[np.float64],
    normal: NDArray[np.float64],
    side: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return whether points are at or in front of the depth map, at each pixel that counts in a bilinear sample."""
    height, width = source.depth.shape
    # On a plane n · P = c, z = c / (n · ray), which gives the change of z from one pixel to the next.
    z = points[:, 2]
    across = np.abs(normal[:, :2]).sum(axis=1) * z
    steepness = across / np.maximum(np.abs(side), across / STEEPEST + 1e-300)
    reach = z - TOLERANCE - steepness * z / source.camera.focal
    low = np.floor(places)
    part = places - low
    front = np.ones(len(points), bool)
    for dx in (0, 1):
        for dy in (0, 1):
            share = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            column = np.clip(low[:, 0] + dx, 0, width - 1).astype(np.int64)
            row = np.clip(low[:, 1] + dy, 0, height - 1).astype(np.int64)
            front &= (share < SLIGHT) | (reach <= source.depth[row, column])
    return front
