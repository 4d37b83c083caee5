"""What one step of adversarial training uses of the meshes: patches, other random vertices, and their edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repose.mesh.operators import edge_uses
from repose.mesh.patches import patch_table
from repose.methods.iepgan.settings import AdversarialTraining


class View(NamedTuple):
    """The vertices of one step, and its patches in the numbering of these vertices."""

    seen: Tensor  # (N,) int64 vertices of the template; those of the patches come first
    edges: Tensor  # (E, 2) int64 edges with both ends among `seen`, in the numbering of `seen`
    edge_weights: Tensor  # (E,) share of each edge in the edge loss
    whole: NDArray[np.int64]  # (K, P) the patches in the template's numbering
    sizes: NDArray[np.int64]  # (K,) vertices of each patch, without padding
    patches: tuple[Tensor, Tensor, Tensor, Tensor]  # as `PaddedPatches`, in the numbering of `seen`

    def to(self, device: torch.device) -> View:
        """Move the view to a device."""
        seen, edges, shares = (x.to(device) for x in (self.seen, self.edges, self.edge_weights))
        patches = tuple(x.to(device) for x in self.patches)
        return View(seen, edges, shares, self.whole, self.sizes, patches)  # type: ignore[arg-type]


class Views:
    """Draws the view of each step.

    Args:
        faces: (F, 3) of the template.
        vertex_count: V.
        settings: number and size of patches, and how many vertices a step sees.
    """

    def __init__(self, faces: np.ndarray, vertex_count: int, settings: AdversarialTraining):
        self.settings, self.count = settings, vertex_count
        self.table = patch_table(faces, vertex_count, settings.patch_vertices)
        self.edges, self.uses = edge_uses(faces)

    def draw(
        self,
        errors: NDArray[np.floating],  # (V,) error of the neighbourhood of each vertex
        rng: np.random.Generator,
    ) -> View:
        """Draw disjoint patches, around the worst vertices if seeds are adaptive, and further random vertices."""
        ties = rng.random(self.count)
        scores = ties if self.settings.seeds == "random" else errors + 1e-9 * ties
        padded = self.table.padded(self.table.choose(scores, self.settings.patches))
        inside = np.unique(padded.vertices)
        others = np.setdiff1d(rng.permutation(self.count), inside, assume_unique=True)
        wanted = self.count if self.settings.points is None else self.settings.points
        seen = np.concatenate([inside, others[: max(0, wanted - len(inside))]])
        place = np.full(self.count, -1)
        place[seen] = np.arange(len(seen))
        ends = place[self.edges]
        kept = (ends >= 0).all(axis=1)
        weights = self.uses[kept] * (self.uses.sum() / self.uses[kept].sum() / len(self.table.faces))
        patches = padded._replace(vertices=place[padded.vertices])
        return View(
            torch.from_numpy(seen),
            torch.from_numpy(ends[kept]),
            torch.from_numpy(weights).float(),
            padded.vertices,
            padded.is_vertex.sum(axis=1),
            tuple(torch.from_numpy(x) for x in patches),  # type: ignore[arg-type]
        )
