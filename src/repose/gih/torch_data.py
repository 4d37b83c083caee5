"""GIH blocks as a torch Dataset, for losses that compare distances on a patch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from numpy.typing import ArrayLike
from torch.utils.data import Dataset

from repose.gih.reader import GihReader


class GihBlocks(Dataset[torch.Tensor]):
    """Item i is the (R, R) float32 matrix of distances between the vertices of one patch of mesh i.

    Works with fork and spawn DataLoader workers.

    Args:
        path: the store.
        meshes: names, in the order of the items; None means all.
        vertices: the patch of item i: one set of vertices for all, or a function of i (which must pickle for
            spawned workers).
        cache_bytes: see :class:`GihReader`; each worker has its own cache.
    """

    def __init__(
        self,
        path: Path,
        vertices: ArrayLike | Callable[[int], ArrayLike],
        meshes: Sequence[str] | None = None,
        cache_bytes: int = 0,
    ):
        self.reader = GihReader(path, cache_bytes)
        self.meshes = self.reader.meshes if meshes is None else list(meshes)
        self.vertices = vertices

    def __len__(self) -> int:
        """Number of meshes."""
        return len(self.meshes)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Distances of one patch, (R, R)."""
        patch = self.vertices(index) if callable(self.vertices) else self.vertices
        return torch.from_numpy(self.reader.block(self.meshes[index], patch))
