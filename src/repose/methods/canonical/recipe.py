"""Training of canonical coordinates: registered bodies show where each vertex of a surface would be on one at rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader

from repose.convert.catalog import mesh_id, mesh_numbers
from repose.data.batches import Batches, chosen_in_epochs
from repose.data.meshes import TrainingData
from repose.mesh.spectrum import Surface, normalised, surface_of
from repose.mesh.variation import varied
from repose.methods.canonical.network import CanonicalNetwork
from repose.methods.canonical.settings import CanonicalSettings
from repose.methods.transfer_recipe import TransferRecipe
from repose.store.mesh_store import MeshStore

_HEADING, _TILT = 40.0, 7.0  # degrees: the largest errors of a frame in training
_OF = 4  # one surface in so many is turned in any way; the others stay about upright
VALIDATED = 48  # number of surfaces of validation bodies
_SMOOTH = 1e-3  # length below which the distance is smoothed to a square
_ERROR_WEIGHT = 0.1  # small, because the predicted error does not place vertices
_CLIP = 1.0  # norm of the gradient; surfaces in several pieces have large gradients


class Sample(NamedTuple):
    """One surface of a batch, and the rotations that both networks see it under.

    Attributes:
        surface: as its body stands in the data, upright and facing +z.
        labels: (N, 3) where its vertices are on the body at rest.
        perturbation: (3, 3) a rotation by a small tilt and heading.
        rotation: (3, 3) a rotation about the vertical by any angle, or any rotation at all.
        upright: whether `rotation` is a rotation about the vertical.
    """

    surface: Surface
    labels: Tensor
    perturbation: Tensor
    rotation: Tensor
    upright: bool


@dataclass(frozen=True)
class CanonicalData(TrainingData):
    """The data of a training of canonical coordinates.

    Attributes:
        rows: (M,) the training meshes' rows in the store.
        unseen: (K,) those of the meshes of validation triples.
        rest: row of the body at rest, whose vertex places are the canonical coordinates.
    """

    rows: NDArray[np.integer] = field(kw_only=True)
    unseen: NDArray[np.integer] = field(kw_only=True)
    rest: int = field(kw_only=True)


class CanonicalRecipe(TransferRecipe):
    """Train on the mean distance of vertices to their places on remeshed surfaces, and on the error of two axes.

    Validation measures the same on bodies that were not trained on, and not the error of warps against truths, which
    depends mostly on how similar two bodies are, and on the few that are found the wrong way round.
    """

    metric = "val_loss"
    network: CanonicalNetwork

    @classmethod
    def read(cls, method: CanonicalSettings, store: MeshStore, splits: pd.DataFrame) -> CanonicalData:  # type: ignore[override]
        """The meshes of the training triples, and all validation triples."""
        data = super().read(method, store, splits)
        seen = splits[splits.role == "train"]
        first = min(mesh_numbers(name)[0] for name in seen.identity_mesh)
        rows, unseen = (np.unique(triples.rows[:, :2]) for triples in (data.train, data.val))
        rest = store.index_of(mesh_id(first, method.rest_pose))
        return CanonicalData(data.store, data.train, data.val, rows=rows, unseen=unseen, rest=rest)

    def __init__(self, method: CanonicalSettings, network: nn.Module, data: CanonicalData, seed: int):
        super().__init__(method, network, data, seed)
        self.surfaces = Surfaces(data, data.rows, self.settings.surfaces, method.vibrations, seed)
        self.unseen = Surfaces(data, data.unseen, VALIDATED, method.vibrations, seed)

    def batches(self, start: int, stop: int) -> Batches[list[Sample]]:
        """Yield the surfaces of each step, with the rotations that they are seen under."""
        return Batches(range(start, stop), self._batch)

    def _batch(self, step: int) -> list[Sample]:
        draw = np.random.default_rng([self.seed, 4, step])
        numbers = chosen_in_epochs(self.surfaces.count, self.settings.batch, self.seed, step)
        return [_sample(draw, self.surfaces[int(number)], k) for k, number in enumerate(numbers)]

    def val_dataloader(self) -> DataLoader[Any]:
        """Return surfaces of validation bodies, the same and under the same rotations at every validation."""
        return DataLoader(Batches(range(VALIDATED), self._validated), batch_size=None)

    def _validated(self, number: int) -> list[Sample]:
        return [_sample(np.random.default_rng([self.seed, 5, number]), self.unseen[number], number)]

    def validation_step(self, batch: Any, index: int) -> None:
        """Log the loss of a batch of validation surfaces."""
        self.log(self.metric, self.training_step(batch, index)["loss"], batch_size=len(batch))

    def training_step(self, batch: list[Sample], index: int) -> dict[str, Tensor]:
        """Return the loss and its terms, which are means over the batch."""
        losses = [_losses(self.network, sample) for sample in batch]
        terms = {name: torch.stack([each[name] for each in losses]).mean() for name in losses[0]}
        loss = terms["place"] + _ERROR_WEIGHT * terms["doubt"]
        if self.network.frame:
            terms["axes"] = torch.stack([_off_axes(self.network, sample) for sample in batch]).mean()
            loss = loss + terms["axes"]
        return {"loss": loss, **{name: value.detach() for name, value in terms.items()}}

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """Clip the norm of the gradient."""
        clip_grad_norm_(self.network.parameters(), _CLIP)


def _sample(draw: np.random.Generator, surface: tuple[Surface, Tensor], place: int) -> Sample:
    """A surface and its labels under drawn rotations; every `_OF`-th place in a row has any orientation."""
    return Sample(*surface, _perturbation(draw, _HEADING), *_rotation(draw, place % _OF != _OF - 1))


def _losses(network: CanonicalNetwork, sample: Sample) -> dict[str, Tensor]:
    places, predicted_error = network.place(sample.surface.turned(sample.perturbation))
    off = ((places - sample.labels).square().sum(dim=-1) + _SMOOTH**2).sqrt()
    masses = sample.surface.masses
    return {
        "place": (masses * off).sum(),
        "doubt": (masses * (predicted_error - off.detach()).abs()).sum(),
    }


def _off_axes(network: CanonicalNetwork, sample: Sample) -> Tensor:
    """Return the squared error of the predicted up and forward axes, or of the up axis alone.

    The forward axis of a body in any orientation does not count, as it is learned from bodies that are upright.
    """
    # Columns 1 and 2 of a rotation are the rotated up and forward axes.
    axes = network.axes(sample.surface.turned(sample.rotation)) - sample.rotation[:, 1:].T
    return axes.square().sum() if sample.upright else axes[0].square().sum()


class Surfaces:
    """Surfaces of some meshes; each one is made when it is first asked for, and depends on its number alone."""

    def __init__(
        self, data: CanonicalData, rows: NDArray[np.integer], count: int, eigenvectors: int, seed: int
    ):
        self.data, self.rows, self.count, self.eigenvectors, self.seed = data, rows, count, eigenvectors, seed
        self.faces = data.store.faces.astype(np.int64)
        self.places = normalised(self._vertices(data.rest), self.faces)
        self.made: dict[int, tuple[Surface, Tensor]] = {}

    def __getitem__(self, number: int) -> tuple[Surface, Tensor]:
        """The surface, and the places (N, 3) of its vertices on the body at rest."""
        if number not in self.made:
            draw = np.random.default_rng([self.seed, 3, number])
            vertices = self._vertices(int(draw.choice(self.rows)))
            vertices, faces, where = varied(vertices, self.faces, draw)
            labels = torch.from_numpy(where.interpolate(self.places, self.faces)).float()
            surface = surface_of(vertices, faces, self.eigenvectors)
            self.made[number] = Surface(*map(torch.from_numpy, surface)), labels
        return self.made[number]

    def _vertices(self, row: int) -> NDArray[np.float64]:
        return self.data.store.vertices(np.array([row]))[0].astype(np.float64)


def _perturbation(draw: np.random.Generator, heading: float) -> Tensor:  # (3, 3)
    angles = draw.uniform(-heading, heading), *draw.normal(0, _TILT, 2)
    return torch.from_numpy(Rotation.from_euler("yxz", angles, degrees=True).as_matrix()).float()


def _rotation(draw: np.random.Generator, upright: bool) -> tuple[Tensor, bool]:
    """Draw a rotation (3, 3), and return whether it leaves a body about upright."""
    if upright:
        return _perturbation(draw, 180.0), True
    return torch.from_numpy(Rotation.random(random_state=draw).as_matrix()).float(), False
