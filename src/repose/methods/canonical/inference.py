"""Canonical coordinates without PyTorch, whose start takes longer than all that is done for two meshes.

`CanonicalNetwork` learns; this says, in the same numbers to rounding. A test holds the two together.
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
from repose.methods.canonical.matching import Coordinates, Ways

Float = NDArray[np.float64]
Single = NDArray[np.float32]

SCALE = 2.0  # brings coordinates on a surface of area 1 to about one
_MOST = 1500  # vertices: a finer surface has no other slow vibrations, and costs more
_SAME = np.radians(20.0)  # frames that differ by less are one
_FEW = 350  # vertices, which say roughly how a body is turned; validation bodies are found no worse than by 1,500 alone
_NEARLY = 0.5  # cosine: the network is nearer than feet, which may be splayed, unless it is quite wrong
COLD = 40.0
"""What heat cools to at most, as a logarithm: less is lost beside 1 in float32, and far less is a denormal number, with
which products take five times as long."""
AGAINST_FEET = 1.5
"""How many times as badly a match by a frame that feet speak against must fit for theirs to be taken."""
_EPSILON = 1e-5  # of the norm of a layer, as in PyTorch
# Each axis, one after the other, up: from a wrong start a body can be found upside down.
_STARTS = (("x", 0), ("x", -90), ("x", 90), ("x", 180), ("z", 90), ("z", -90))
_USUAL = 2  # of them: y up, and z up
_ABOUT = np.diag([-1.0, 1.0, -1.0])  # half a turn about the vertical


class _Block(NamedTuple):
    """The parameters of a `DiffusionBlock`; matrices are transposed, to be multiplied from the right."""

    times: Single
    norm: tuple[Single, Single]
    own: Single  # the part of the first layer that sees a vertex itself
    warm: Single  # the part that sees the heat there
    layers: tuple[tuple[Single, Single], ...]  # matrix and bias of what follows
    bias: Single  # of the first layer


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
        """The numbers of each vertex."""
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
    """What a block adds to the features (N, width) of the vertices."""
    y = x - x.mean(axis=1, keepdims=True)
    y /= np.sqrt(np.einsum("nc,nc->n", y, y)[:, None] / y.shape[1] + np.float32(_EPSILON))
    y *= block.norm[0]
    y += block.norm[1]
    amplitudes = surface.vectors.T @ (surface.masses[:, None] * y)  # (K, width)
    cooled = np.exp(-np.minimum(surface.values[:, None] * block.times, COLD)) * amplitudes
    # The first layer sees heat at every vertex; as it is linear, it can be applied to the vibrations, which are fewer.
    z = y @ block.own
    z += surface.vectors @ (cooled @ block.warm)
    z += block.bias
    for matrix, bias in block.layers:
        np.maximum(z, 0, out=z)
        z = z @ matrix
        z += bias
    return z


class Inference:
    """The two networks of canonical coordinates, and what they say of a mesh.

    Args:
        weights: the parameters of a `CanonicalNetwork`, by their names.
        vibrations: eigenvectors of the surface that heat is spread by.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]], vibrations: int):
        self.vibrations = vibrations
        parts = {
            part: {name[len(part) + 1 :]: x for name, x in weights.items() if name.startswith(f"{part}.")}
            for part in ("frame", "placing")
        }
        self.frame = SurfaceNetwork(parts["frame"]) if parts["frame"] else None
        self.placing = SurfaceNetwork(parts["placing"])

    def axes(
        self,
        surface: Surface,  # turned anyhow
    ) -> Float:  # (2, 3)
        """What is up, and what is ahead, for the body; about of unit length."""
        assert self.frame is not None
        return (surface.masses @ self.frame(surface)).reshape(2, 3).astype(np.float64)

    def place(
        self,
        surface: Surface,  # upright, facing about +z
    ) -> tuple[Float, Float]:
        """Places (N, 3) on the body at rest, and how far off (N,) they are expected to be."""
        out = self.placing(surface).astype(np.float64)
        return out[:, :3], np.logaddexp(0, out[:, 3])

    def upright(
        self,
        surface: Surface,
        turn: Float,  # (3, 3) a rotation to begin with
    ) -> Float:  # (3, 3)
        """The rotation that brings a surface upright and to face +z, as the network sees it under another one."""
        up, ahead = self.axes(surface.turned(turn.astype(np.float32)))
        up = up / np.linalg.norm(up)
        ahead = ahead - (ahead @ up) * up
        ahead = ahead / np.linalg.norm(ahead)
        return np.stack([np.cross(up, ahead), up, ahead]) @ turn

    def ways(self, vertices: Float, faces: NDArray[np.integer]) -> Ways:
        """What it says of a mesh (N, 3), (F, 3), of any size, place, number of vertices, and turned anyhow.

        Raises:
            MeshError: it has no area.
        """
        vertices = normalised(vertices, faces)  # edges of a mesh of another size collapse in another order
        coarse = decimated(vertices, faces, _MOST)
        surface = surface_of(*coarse, self.vibrations)
        found = [self._seen(surface, *frame) for frame in self._frames(surface, *coarse)]
        found.sort(key=lambda way: way.against * float(surface.masses @ way.doubt))
        about = None
        if self.frame and ahead_by_feet(coarse[0] @ found[0].frame.T, coarse[1]) is None:
            about = self._seen(surface, _ABOUT @ found[0].frame)
        return Ways(vertices, faces, *coarse, found, about)

    def _seen(self, surface: Surface, turn: Float, against: float = 1.0) -> Coordinates:
        return Coordinates(*self.place(surface.turned(turn.astype(np.float32))), turn, against)

    def _frames(
        self, surface: Surface, vertices: Float, faces: NDArray[np.integer]
    ) -> list[tuple[Float, float]]:
        """The rotations found from every start, those that are nearly one once, and what speaks against each."""
        if self.frame is None:
            return [(np.eye(3), 1.0)]
        few = surface_of(*decimated(vertices, faces, _FEW), self.vibrations)
        starts = [Rotation.from_euler(axis, degrees, degrees=True).as_matrix() for axis, degrees in _STARTS]
        turns = starts
        for seen in (few, few, surface):  # the first look brings it upright, which ahead is told from
            turns = _distinct([self.upright(seen, turn) for turn in turns])
        # As most files have it, y up or z, where the body then stands on feet: the network may see one that lies.
        stands = [turn for turn in starts[:_USUAL] if ahead_by_feet(vertices @ turn.T, faces) is not None]
        turns = [*turns, *stands]
        along = [_along_feet(turn, vertices, faces) for turn in turns]
        found = _distinct(along)
        # Feet of a body on its knees point back.
        return [(turn, 1.0) for turn in found] + [
            (turn, AGAINST_FEET) for turn in _distinct([*found, *turns])[len(found) :]
        ]


def _along_feet(turn: Float, vertices: Float, faces: NDArray[np.integer]) -> Float:  # (3, 3)
    """The rotation that brings a mesh upright, by which it faces +z as its feet point, if it does not nearly do so."""
    ahead = ahead_by_feet(vertices @ turn.T, faces)
    if ahead is None or ahead[1] > _NEARLY:
        return turn
    x, z = ahead
    return np.array([[z, 0, -x], [0, 1, 0], [x, 0, z]]) @ turn


def _distinct(turns: list[Float]) -> list[Float]:
    """Of rotations that are nearly one, the first."""
    found: list[Float] = []
    for turn in turns:
        if all(Rotation.from_matrix(turn @ other.T).magnitude() > _SAME for other in found):
            found.append(turn)
    return found
