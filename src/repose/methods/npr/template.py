"""A body at rest, in the units of the networks, with everything that is computed once for it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.errors import ReposeError
from repose.mesh.poisson import Poisson, jacobians

_KEPT = 64  # number of templates in memory


class Template:
    """A mesh at rest, with its box centred at the origin and its longest side 1; this does not affect Jacobians.

    Args:
        rest: (V, 3) vertices, metres.
        faces: (F, 3).

    Raises:
        MeshError: a face has no area.
    """

    def __init__(self, rest: NDArray[np.floating], faces: NDArray[np.integer]):
        low, high = rest.min(axis=0), rest.max(axis=0)
        self.scale = float((high - low).max())  # metres
        placed = (rest.astype(np.float64) - (low + high) / 2) / self.scale
        self.poisson = Poisson(placed, faces).to("cpu")
        self.rest = torch.from_numpy(placed).float()  # (V, 3)
        self.centroids = torch.from_numpy(placed[faces].mean(axis=1)).float()  # (F, 3)
        self.key = _digest(rest, faces)  # 16 bytes that identify the mesh

    def to(self, device: torch.device | str) -> Template:
        """Move all tensors; returns itself."""
        self.poisson.to(device)
        self.rest, self.centroids = self.rest.to(device), self.centroids.to(device)
        return self

    def jacobians(self, posed: Tensor) -> Tensor:
        """Return the Jacobians (B, F, 3, 3) of posed vertices (B, V, 3), metres."""
        return jacobians(posed / self.scale, self.poisson.faces, self.poisson.inverses)

    def posed_centroids(self, posed: Tensor) -> Tensor:
        """Return centroids (B, F, 3) of posed vertices (B, V, 3), metres, about their mean, in units of the box."""
        corners = posed.index_select(1, self.poisson.faces.flatten()).unflatten(1, self.poisson.faces.shape)
        return (corners.mean(dim=2) - posed.mean(dim=1, keepdim=True)) / self.scale

    def posed_key(self, posed: Tensor) -> bytes:
        """Return bytes that identify a posed body (1, V, 3), metres."""
        return _digest(np.frombuffer(self.key, np.uint8), posed.cpu().numpy())

    def vertices(self, field: Tensor) -> Tensor:
        """Return the vertices (B, V, 3), metres, about their mean, of the mesh closest to Jacobians (B, F, 3, 3)."""
        return self.poisson(field) * self.scale

    def tangential(self, field: Tensor) -> Tensor:
        """Return Jacobians (B, F, 3, 3) applied to the two tangents of each face: (B, F, 3, 2)."""
        return field @ self.poisson.tangents.transpose(-1, -2)


class Templates:
    """A cache of templates by their meshes, so that a body that is met again costs nothing."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Template] = OrderedDict()

    def of(self, rest: Tensor, faces: Tensor) -> list[Template]:
        """Return the template of each mesh at rest (B, V, 3), metres, with faces (F, 3)."""
        connected = faces.cpu().numpy()
        # outside inference mode, because these are kept and may be used in training later
        with torch.inference_mode(False):
            return [self._one(mesh, connected).to(rest.device) for mesh in rest.cpu().numpy()]

    def _one(self, rest: NDArray[np.float32], faces: NDArray[np.integer]) -> Template:
        if not np.isfinite(rest).all():
            raise ReposeError("a mesh at rest has vertices that are no numbers")
        key = _digest(rest, faces)
        if key not in self._known:
            self._known[key] = Template(rest, faces)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


def _digest(*arrays: NDArray[np.generic]) -> bytes:
    whole = hashlib.blake2b(digest_size=16)
    for array in arrays:
        whole.update(np.ascontiguousarray(array).data)
    return whole.digest()
