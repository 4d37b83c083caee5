"""Inference of canonical coordinates in numpy: loading PyTorch takes longer than all the work for two meshes.

`CanonicalNetwork` is the same network for training; a test checks that both agree up to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from repose.mesh.spectrum import Surface, normalised, surface_of
from repose.mesh.variation import decimated
from repose.methods.canonical.feet import ahead_by_feet
from repose.methods.canonical.matching import CandidateFrames, Coordinates

Float = NDArray[np.float64]
Single = NDArray[np.float32]

SCALE = 2.0  # scales coordinates on a surface of area 1 to about one
_MOST = 1500  # vertices; a finer surface has the same first eigenfunctions and costs more time
_SAME = np.radians(20.0)  # frames whose rotations differ by less count as one frame
_FEW = 350  # vertices that give a rough orientation; on validation bodies the result is no worse than with 1,500 alone
_NEARLY = 0.5  # cosine of the angle between network and feet; above it the network is trusted, as feet may be splayed
COLD = 40.0
"""What heat cools to at most, as a logarithm: less is lost beside 1 in float32, and far less is a denormal number, with
which products take five times as long."""
FEET_PENALTY = 1.5
"""How many times as badly a match by a frame that feet speak against must fit for theirs to be taken."""
UP_AXIS_PENALTY = 1.5
"""The same for a frame in which the body has neither y nor z of its file up, as files have."""
_EPSILON = 1e-5  # epsilon of layer norm, as in PyTorch
# Starting rotations that bring each axis up in turn: from a wrong start a body can be found upside down.
_STARTS = (("x", 0), ("x", -90), ("x", 90), ("x", 180), ("z", 90), ("z", -90))
_USUAL = 2  # the first starts: y up, and z up
_USUAL_UP = 0.5  # cosine of the angle between the body's up direction and +y or +z of the file
_HALF_TURN = np.diag([-1.0, 1.0, -1.0])  # half a turn about the vertical axis


class _Block(NamedTuple):
    """The parameters of a `DiffusionBlock`; matrices are transposed, to be multiplied from the right."""

    times: Single
    norm: tuple[Single, Single]
    own: Single  # weights of the first layer for the vertex's own features
    warm: Single  # weights of the first layer for the diffused features
    layers: tuple[tuple[Single, Single], ...]  # weight and bias of each layer that follows
    bias: Single  # bias of the first layer


class SurfaceNetwork:
    """A `DiffusionNetwork` in numpy.

    Args:
        weights: its parameters, by their names.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]]):
        values = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        self.first, self.last = (_linear(values, name) for name in ("first", "last"))
        count = 1 + max(int(name.split(".")[1]) for name in values if name.startswith("blocks."))
        self.blocks = [_block(values, f"blocks.{number}") for number in range(count)]

    def __call__(self, surface: Surface) -> Single:  # (N, outputs)
        """Return the numbers of each vertex, (V, outputs)."""
        matrix, bias = self.first
        x: Single = np.concatenate([SCALE * surface.vertices, surface.normals], axis=1) @ matrix + bias
        for block in self.blocks:
            x += _heated(x, block, surface)
        matrix, bias = self.last
        return x @ matrix + bias


def _linear(values: Mapping[str, Single], name: str) -> tuple[Single, Single]:
    return np.ascontiguousarray(values[f"{name}.weight"].T), values[f"{name}.bias"]


def _block(values: Mapping[str, Single], name: str) -> _Block:
    times = values[f"{name}.times"]
    first, bias = _linear(values, f"{name}.perceptron.0")
    norm = values[f"{name}.norm.weight"], values[f"{name}.norm.bias"]
    further = tuple(_linear(values, f"{name}.perceptron.{number}") for number in (2, 4))
    return _Block(np.exp(times), norm, first[: len(times)], first[len(times) :], further, bias)


def _heated(x: Single, block: _Block, surface: Surface) -> Single:  # (N, width)
    """Return what a block adds to the features (N, width) of the vertices."""
    y = x - x.mean(axis=1, keepdims=True)
    y /= np.sqrt(np.einsum("nc,nc->n", y, y)[:, None] / y.shape[1] + np.float32(_EPSILON))
    y *= block.norm[0]
    y += block.norm[1]
    amplitudes = surface.vectors.T @ (surface.masses[:, None] * y)  # (K, width)
    cooled = np.exp(-np.minimum(surface.values[:, None] * block.times, COLD)) * amplitudes
    # The first layer is linear, so it is applied to the diffused features in the spectral basis, which has fewer rows
    # than there are vertices.
    z = y @ block.own
    z += surface.vectors @ (cooled @ block.warm)
    z += block.bias
    for matrix, bias in block.layers:
        np.maximum(z, 0, out=z)
        z = z @ matrix
        z += bias
    return z


class Inference:
    """The two networks of canonical coordinates: one finds the frame of a mesh, the other places its vertices.

    Args:
        weights: the parameters of a `CanonicalNetwork`, by their names.
        eigenvectors: number of eigenvectors of the surface used for the diffusion.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]], eigenvectors: int):
        self.eigenvectors = eigenvectors
        parts = {
            part: {name[len(part) + 1 :]: x for name, x in weights.items() if name.startswith(f"{part}.")}
            for part in ("frame", "placing")
        }
        self.frame = SurfaceNetwork(parts["frame"]) if parts["frame"] else None
        self.placing = SurfaceNetwork(parts["placing"])

    def axes(
        self,
        surface: Surface,  # in any orientation
    ) -> Float:  # (2, 3)
        """Return the up and forward directions of the body, (2, 3), of about unit length."""
        assert self.frame is not None
        return (surface.masses @ self.frame(surface)).reshape(2, 3).astype(np.float64)

    def place(
        self,
        surface: Surface,  # upright, facing about +z
    ) -> tuple[Float, Float]:
        """Return the places (N, 3) of the vertices on the body at rest, and the predicted errors (N,)."""
        out = self.placing(surface).astype(np.float64)
        return out[:, :3], np.logaddexp(0, out[:, 3])

    def upright(
        self,
        surface: Surface,
        turn: Float,  # (3, 3) an initial rotation
    ) -> Float:  # (3, 3)
        """Return the rotation that brings a surface upright and facing +z, as the network estimates it after `turn`."""
        up, ahead = self.axes(surface.turned(turn.astype(np.float32)))
        up = up / np.linalg.norm(up)
        ahead = ahead - (ahead @ up) * up
        ahead = ahead / np.linalg.norm(ahead)
        return np.stack([np.cross(up, ahead), up, ahead]) @ turn

    def candidate_frames(self, vertices: Float, faces: NDArray[np.integer]) -> CandidateFrames:
        """Return the frames and coordinates found for a mesh (N, 3), (F, 3), of any size, place and orientation.

        Raises:
            MeshError: it has no area.
        """
        # size first: the decimation collapses edges in another order at another size
        vertices = normalised(vertices, faces)
        coarse = decimated(vertices, faces, _MOST)
        surface = surface_of(*coarse, self.eigenvectors)
        found = [self._coordinates(surface, *frame) for frame in self._frames(surface, *coarse)]
        found.sort(key=lambda one: one.penalty * float(surface.masses @ one.predicted_error))
        flipped = None
        if self.frame and ahead_by_feet(coarse[0] @ found[0].frame.T, coarse[1]) is None:
            flipped = self._coordinates(surface, _HALF_TURN @ found[0].frame)
        return CandidateFrames(vertices, faces, *coarse, found, flipped)

    def _coordinates(self, surface: Surface, turn: Float, penalty: float = 1.0) -> Coordinates:
        return Coordinates(*self.place(surface.turned(turn.astype(np.float32))), turn, penalty)

    def _frames(
        self, surface: Surface, vertices: Float, faces: NDArray[np.integer]
    ) -> list[tuple[Float, float]]:
        """Return the distinct rotations found from all starts, and for each the factor on the cost of its matches."""
        if self.frame is None:
            return [(np.eye(3), 1.0)]
        few = surface_of(*decimated(vertices, faces, _FEW), self.eigenvectors)
        starts = [Rotation.from_euler(axis, degrees, degrees=True).as_matrix() for axis, degrees in _STARTS]
        turns = starts
        # the first pass brings the body upright; the forward direction is only known after that
        for seen in (few, few, surface):
            turns = _distinct([self.upright(seen, turn) for turn in turns])
        # Add the usual orientations of files, y up or z up, where the body then stands on feet: the network may see it
        # lying.
        stands = [turn for turn in starts[:_USUAL] if ahead_by_feet(vertices @ turn.T, faces) is not None]
        turns = [*turns, *stands]
        along = [_along_feet(turn, vertices, faces) for turn in turns]
        found = _distinct(along)
        # Frames against the feet stay as candidates, as the feet of a kneeling body point back.
        against_feet = _distinct([*found, *turns])[len(found) :]
        factors = [1.0] * len(found) + [FEET_PENALTY] * len(against_feet)
        return [
            (turn, factor * (1.0 if turn[1, 1:].max() > _USUAL_UP else UP_AXIS_PENALTY))
            for turn, factor in zip([*found, *against_feet], factors, strict=True)
        ]


def _along_feet(turn: Float, vertices: Float, faces: NDArray[np.integer]) -> Float:  # (3, 3)
    """Return `turn`, corrected so that the feet point to +z, unless they nearly do so already."""
    ahead = ahead_by_feet(vertices @ turn.T, faces)
    if ahead is None or ahead[1] > _NEARLY:
        return turn
    x, z = ahead
    return np.array([[z, 0, -x], [0, 1, 0], [x, 0, z]]) @ turn


def _distinct(turns: list[Float]) -> list[Float]:
    """Return the rotations without those that nearly equal an earlier one."""
    found: list[Float] = []
    for turn in turns:
        if all(Rotation.from_matrix(turn @ other.T).magnitude() > _SAME for other in found):
            found.append(turn)
    return found
