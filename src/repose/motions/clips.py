"""Motions of one body that another body must make, with the truth, and how methods of meshes predict them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repose.columns import TRIPLE
from repose.convert.catalog import mesh_id
from repose.errors import ReposeError
from repose.mesh.finish import Finish
from repose.mesh.sequence import Frames
from repose.methods.interface import TransferNetwork
from repose.predict.meshes import predicted
from repose.store.mesh_store import MeshStore
from repose.store.rows import NamedRows
from repose.synthetic.motion import RATE

_REST = 0  # number of the pose at rest


@dataclass(frozen=True)
class Clip:
    """One motion of two bodies.

    Attributes:
        kind: kind of motion, such as "walk".
        identity: number of the body to animate.
        moving: number of the moving body.
        seen: (T, V, 3) metres, the moving body, y up, the floor at y = 0.
        truth: (T, V, 3) likewise, of the identity.
    """

    kind: str
    identity: int
    moving: int
    seen: Frames
    truth: Frames


@dataclass(frozen=True)
class Moved:
    """A predicted motion and the true one: the quantities that metrics of motions are computed from.

    Attributes:
        predicted: (T, V, 3) metres; the mean of each frame is where that of the truth is.
        truth: (T, V, 3) metres, y up, the floor y = 0.
        rate: frames per second.
    """

    predicted: Frames
    truth: Frames
    rate: float = RATE

    @classmethod
    def of(cls, shapes: Frames, clip: Clip) -> Moved:
        """Return a prediction (T, V, 3) without positions, moved in each frame to the position of the truth."""
        was, should_be = (x.mean(axis=1, keepdims=True, dtype=np.float64) for x in (shapes, clip.truth))
        return cls(shapes - was + should_be, clip.truth)


class Clips(MeshStore):
    """Clips in the form that trained methods read: a store of meshes in memory, with the bodies at rest.

    Args:
        clips: clips of one dataset.
        rests: bodies at rest (V, 3), by number.
        faces: (F, 3) of all bodies.
    """

    def __init__(
        self, clips: Sequence[Clip], rests: Mapping[int, NDArray[np.float32]], faces: NDArray[np.int32]
    ):
        self.clips, self.faces = clips, faces
        known = {mesh_id(body, _REST): rest for body, rest in rests.items()}
        for first, clip in zip(self._first, clips, strict=True):
            for body, frames in ((clip.moving, clip.seen), (clip.identity, clip.truth)):
                known |= {mesh_id(body, first + k): frame for k, frame in enumerate(frames)}
        self._meshes, self.mesh_ids = np.stack(list(known.values())), list(known)
        self.shape = self._meshes.shape
        NamedRows.__init__(self, Path("motions"), self.mesh_ids)

    @cached_property
    def _first(self) -> list[int]:
        """The number of the first frame of each clip; the poses of different clips have different numbers."""
        return [_REST + 1 + sum(len(clip.seen) for clip in self.clips[:k]) for k in range(len(self.clips))]

    def vertices(self, indices: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vertices of frames, see `MeshStore`."""
        found: NDArray[np.float32] = self._meshes[indices]
        return found

    @property
    def triples(self) -> dict[str, pd.DataFrame]:
        """Return the frames of each clip as triples: the identity at rest, the moving body, the truth."""
        return {
            f"{clip.kind}-{clip.moving}-{clip.identity}": pd.DataFrame(
                [
                    (
                        mesh_id(clip.identity, _REST),
                        *(mesh_id(b, first + k) for b in (clip.moving, clip.identity)),
                    )
                    for k in range(len(clip.seen))
                ],
                columns=TRIPLE,
            )
            for first, clip in zip(self._first, self.clips, strict=True)
        }

    def predicted(self, network: TransferNetwork, device: str, label: str, finish: Finish) -> list[Frames]:
        """Predict every clip frame by frame, (T, V, 3) metres each; the prediction does not include positions.

        Raises:
            ReposeError: it predicts vertices that are not finite.
        """
        return [
            predicted(network, self, triples, device, f"{label} {name}", finish)
            for name, triples in self.triples.items()
        ]


def clips_of(dataset: Mapping[str, Any], recipe: Path, part: str, frames: int, pairs: int) -> Clips:
    """Return the motions of some pairs of bodies of a part of a dataset, for each kind of motion that it has.

    Args:
        dataset: the module that moves its bodies, and the numbers of `identities` and `poses` of each part.
        recipe: recipe of the dataset.
        part: val or test; paths through the bank use poses of that part.
        frames: frames of each motion.
        pairs: number of moving bodies; the next body of the part is the identity.

    Raises:
        ReposeError: the part has only one identity.
    """
    module = import_module(dataset["motions"])
    read, bodies = module.Recipe.read(recipe), dataset["identities"][part]
    if len(bodies) < 2:
        raise ReposeError(f"motions need two {part} identities, one for another", recipe)
    among = dataset["poses"][part]
    clips = []
    for number in range(min(pairs, len(bodies))):
        moving, identity = bodies[number], bodies[(number + 1) % len(bodies)]
        for kind in module.KINDS:
            both = (module.motion(read, kind, body, frames, number, among) for body in (moving, identity))
            clips.append(Clip(kind, identity, moving, *both))
    used = {body for clip in clips for body in (clip.identity, clip.moving)}
    rests = {body: module.motion(read, "poses", body, 1, 0, [_REST])[0] for body in used}
    return Clips(clips, rests, read.faces)
