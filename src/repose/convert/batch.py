"""Convert a batch of raw meshes: the unit of work that runs in a thread or in a Dask worker."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repose.convert.cache import Converted, Unreadable, cache_key, write_converted
from repose.convert.catalog import mesh_digest, mesh_id
from repose.errors import MeshError
from repose.mesh.formats.obj import format_obj
from repose.mesh.mesh import Mesh
from repose.mesh.quality import measure
from repose.raw.source import Item, Source


@dataclass(frozen=True)
class Batch:
    """Converts batches of items into one folder; it can be pickled.

    Attributes:
        source: source of the raw meshes.
        folder: folder of the cache.
        code: identifier of the code and software that convert.
    """

    source: Source
    folder: Path
    code: str

    def __call__(self, items: Sequence[Item]) -> list[Converted | Unreadable]:
        """Convert items one after another, with one mesh in memory at a time; a bad mesh does not stop the others."""
        return [self._convert(item, found) for item, found in _read(self.source, items)]

    def _convert(self, item: Item, found: Mesh | MeshError) -> Converted | Unreadable:
        name = mesh_id(item.identity, item.pose)
        try:
            if isinstance(found, MeshError):
                raise found
            mesh, measures = measured(found, item.source)
        except MeshError as error:
            return Unreadable(name, error.what if error.where is None else f"{error.where}: {error.what}")
        key, contents = cache_key(item.key, self.code), {".obj": format_obj(mesh)}
        return write_converted(self.folder, key, name, contents, measures, _topology(mesh))


def measured(mesh: Mesh, where: object) -> tuple[Mesh, dict[str, Any]]:
    """Return the mesh as its .obj file will hold it, in float32 values, and its columns of the catalogue.

    Raises:
        MeshError: the mesh is empty, has coordinates that are not finite in float32, or faces out of range.
    """
    with np.errstate(over="ignore"):
        rounded = Mesh(mesh.vertices.astype(np.float32), mesh.faces).validated(where)
    return rounded, {"sha256": mesh_digest(rounded)} | asdict(measure(rounded))


def _read(source: Source, items: Sequence[Item]) -> Iterator[tuple[Item, Mesh | MeshError]]:
    done = 0
    while done < len(items):
        try:
            for item, mesh in zip(items[done:], source.meshes(items[done:]), strict=True):
                done += 1
                yield item, mesh
        except MeshError as error:
            yield items[done], error
            done += 1


def _topology(mesh: Mesh) -> str:
    digest = hashlib.sha256(f"{len(mesh.vertices)} {len(mesh.faces)}\n".encode())
    digest.update(np.ascontiguousarray(mesh.faces, "<i4").tobytes())
    return digest.hexdigest()[:16]
