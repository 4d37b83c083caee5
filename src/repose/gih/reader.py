"""Read distances from a GIH store: only the bands that are asked for, with every byte checked."""

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repose.errors import ReposeError
from repose.gih import layout, store
from repose.gih.layout import MeshInfo
from repose.gih.order import order_id
from repose.gih.shard import Shard
from repose.provenance.stated import stated

Block = NDArray[np.float32]


class GihReader:
    """Distances between vertices of the meshes of one store, in the store's convention (metres by default).

    Safe to share between threads, to fork, and to pickle to a spawned worker: files are opened per read,
    reads carry their own offset, and nothing is held across a fork but finished cache entries.

    Args:
        path: the store.
        cache_bytes: memory for decoded matrices (2 V² bytes each). A larger matrix, and every matrix if this is 0, is
            decoded in parts, as needed, at each call. A cached matrix is an order of magnitude faster.

    Raises:
        ReposeError: there is no store, or it is damaged, or written by a newer version.
    """

    def __init__(self, path: str | os.PathLike[str], cache_bytes: int = 0):
        self.path = Path(path)
        self.cache_bytes = cache_bytes
        self._files = stated(self.path)
        self._keys: dict[str, str] = store.read_index(self.path, self._files)["meshes"]
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._shards: dict[str, Shard] = {}
        self._ranks: dict[str, NDArray[np.int32]] = {}
        self._decoded: OrderedDict[str, NDArray[np.uint16]] = OrderedDict()

    def __getstate__(self) -> dict[str, object]:
        """Return the state for a spawned worker, which gets the names and opens the files itself."""
        return {
            "path": self.path,
            "cache_bytes": self.cache_bytes,
            "_files": self._files,
            "_keys": self._keys,
        }

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore the state that :meth:`__getstate__` returned."""
        self.__dict__.update(state)
        self._reset()

    @property
    def meshes(self) -> list[str]:
        """The names of the meshes, sorted."""
        return list(self._keys)

    def info(self, mesh: str) -> MeshInfo:
        """Return the convention of a mesh's matrix, and how it was computed."""
        return self._shard(mesh).info

    def row(self, mesh: str, vertex: int) -> NDArray[np.float32]:
        """Return the distances from one vertex to all: (V,) float32."""
        return self.rows(mesh, [vertex])[0]

    def rows(self, mesh: str, vertices: ArrayLike) -> Block:
        """Return the distances from some vertices to all: (R, V) float32.

        Half of each row is stored as a column above it, so this decodes most of the matrix: see
        ``cache_bytes``.
        """
        return self.block(mesh, vertices, np.arange(self.info(mesh).vertices))

    def block(self, mesh: str, rows: ArrayLike, cols: ArrayLike | None = None) -> Block:
        """Return the distances between two sets of vertices: (R, C) float32, inf between components.

        Args:
            mesh: a name of :attr:`meshes`.
            rows, cols: vertex indices, in any order, repeats allowed; ``cols`` defaults to ``rows``.

        Raises:
            ReposeError: the mesh is unknown, a vertex is out of range, or bytes are damaged.
        """
        shard = self._shard(mesh)
        rank = self._rank(shard.info)
        row_ranks = _ranks(rank, rows, mesh)
        col_ranks = row_ranks if cols is None else _ranks(rank, cols, mesh)
        if self.cache_bytes >= 2 * shard.info.vertices**2:
            codes = self._matrix(shard)[np.ix_(row_ranks, col_ranks)]
        else:
            codes = shard.block(row_ranks, None if cols is None else col_ranks)
        return layout.decode(codes, shard.info.scale)

    def blocks(
        self, meshes: Sequence[str], rows: Sequence[ArrayLike], cols: Sequence[ArrayLike] | None = None
    ) -> Block:
        """Return one :meth:`block` of equal shape for each mesh: (B, R, C) float32, with one set of rows per mesh."""
        columns = [None] * len(meshes) if cols is None else cols
        if not len(meshes) == len(rows) == len(columns):
            raise ReposeError(f"{len(meshes)} meshes, {len(rows)} row sets and {len(columns)} column sets")
        return np.stack([self.block(m, r, c) for m, r, c in zip(meshes, rows, columns, strict=True)])

    def verify(self, mesh: str) -> None:
        """Read and check every byte of a mesh. Raises ReposeError at the first damage."""
        shard = self._shard(mesh)
        self._rank(shard.info)
        shard.check()

    def _shard(self, mesh: str) -> Shard:
        if mesh not in self._keys:
            close = ", ".join(self.meshes[:3]) + (" …" if len(self._keys) > 3 else "")
            raise ReposeError(f"no mesh named {mesh!r}", self.path, f"it has {len(self._keys)}: {close}")
        key = self._keys[mesh]
        with self._guard():
            if key not in self._shards:
                self._shards[key] = Shard(self.path / key, self._files)
            return self._shards[key]

    def _rank(self, info: MeshInfo) -> NDArray[np.int32]:
        """Return the stored row of each vertex, (V,)."""
        with self._guard():
            if info.order not in self._ranks:
                order = store.read_order(self.path, info.topology, self._files)
                if len(order) != info.vertices or order_id(order) != info.order:
                    what = "the matrix was stored in another vertex order than the store has"
                    raise ReposeError(what, self.path / info.key, "recompute this mesh")
                self._ranks[info.order] = np.argsort(order).astype(np.int32)
            return self._ranks[info.order]

    def _matrix(self, shard: Shard) -> NDArray[np.uint16]:
        key = shard.info.key
        with self._guard():
            if key in self._decoded:
                self._decoded.move_to_end(key)
                return self._decoded[key]
        matrix = shard.matrix()  # outside the lock: two threads may both decode, but none waits
        with self._guard():
            self._decoded[key] = matrix
            while len(self._decoded) > 1 and sum(m.nbytes for m in self._decoded.values()) > self.cache_bytes:
                self._decoded.popitem(last=False)
        return matrix

    def _guard(self) -> threading.Lock:
        # after a fork: a thread that does not exist here may have held the lock
        if self._process != os.getpid():
            self._process, self._lock = os.getpid(), threading.Lock()
        return self._lock


def _ranks(rank: NDArray[np.int32], vertices: ArrayLike, mesh: str) -> NDArray[np.int32]:
    chosen = np.asarray(vertices)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise ReposeError(f"vertices must be a list of integers, not {chosen.dtype} {chosen.shape}", mesh)
    outside = (chosen < 0) | (chosen >= len(rank))
    if outside.any():
        raise ReposeError(f"no vertex {chosen[outside][0]}: the mesh has {len(rank)}", mesh)
    return rank[chosen.astype(np.int64)]
