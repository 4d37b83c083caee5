"""The layout of a GIH store on disk, shared by writer and reader: names, metadata, quantisation.

::

    store.zarr/zarr.json                 a Zarr group; its attributes name the meshes: {name: key}
    store.zarr/order-<topology>/         (V,) the vertex order of one topology
    store.zarr/<key>/zarr.json           one (V, V) uint16 array per distinct mesh; what the numbers mean, and the
                                         BLAKE3 of its shard and of every band in that
    store.zarr/<key>/c/0/0               its only shard: bands of 16 rows, index and checksums

The directory name is the content key, so a directory that exists is complete and current. Only the upper
half is kept: in each band the columns left of its first row are zero.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.gih.convention import Settings
from repose.provenance.code import code_hash, software
from repose.provenance.stated import Stated
from repose.reading import MAX_TEXT, foreign, parse_json, read_bytes

FORMAT = 2
"""Version of the layout; a reader refuses what is newer than itself."""

OLDEST = 2
"""Version of the oldest matrices that are read: those before have no digests of their bands."""

ALGORITHMS = ("repose.gih.solver", "repose.gih.reference", "repose.gih.torch_backend")
"""Modules that make the numbers. Their code is part of every key, so no matrix outlives a change of it."""

BAND = 16
"""Rows per chunk: few, because a training patch touches random rows, and each costs its whole band."""

INFINITE = 65535
"""The code of a pair in different components; finite distances take 0..65534."""

ATTRIBUTES = "repose_gih"

KEY = re.compile("[0-9a-f]{32}")
"""What the names of matrices and topologies look like."""

MAX_VERTICES = 1 << 17
"""Of a mesh: its matrix has 34 GB then, and a reader holds 8 MB of it at a time."""

MAX_SCALE = 1e6
"""Of a code, in metres: no mesh is larger than the sun's distance, and no value than a float32 holds."""


@dataclass(frozen=True)
class MeshInfo:
    """The attributes of one matrix.

    Attributes:
        key: content key, the name of the directory.
        vertices: V.
        topology: name of the vertex order, ``order-<topology>``.
        order: content hash of that vertex order.
        scale: factor from stored codes to values.
        settings: convention and requested time.
        t: time of the heat flow that was used, square metres; that of most vertices, if components differ.
        method: "heat" (the fast kernel or its GPU twin) or "potpourri3d".
        backend: the program that computed it: "cpu", "cuda:0", "potpourri3d".
        note: why another method than the requested one was used; empty otherwise.
        components: number of connected components.
    """

    key: str
    vertices: int
    topology: str
    order: str
    scale: float
    settings: Settings
    t: float
    method: str
    backend: str
    note: str
    components: int

    def as_attributes(self) -> dict[str, Any]:
        """Return the JSON for the array's attributes."""
        own = {k: v for k, v in self.__dict__.items() if k != "settings"}
        words = {"format": FORMAT, "units": "metre", "values_per_metre": self.settings.factor}
        return own | {"settings": self.settings.as_dict(), "infinite": INFINITE} | words

    @classmethod
    def from_attributes(cls, attributes: dict[str, Any], where: Path) -> "MeshInfo":
        """Read the attributes; the digest over the metadata must have been checked before."""
        check_format(attributes, where, OLDEST)
        with foreign(where, "not the metadata of a GIH matrix", "recompute it"):
            fields = {k: attributes[k] for k in cls.__dataclass_fields__ if k != "settings"}
            info = cls(settings=Settings(**attributes["settings"]), **fields)
            if type(info.vertices) is not int or not 0 < info.vertices <= MAX_VERTICES:
                raise ValueError(f"{info.vertices!r} vertices")
            is_scale = type(info.scale) in (int, float) and 0 < info.scale < MAX_SCALE
            if not is_scale or not KEY.fullmatch(info.topology):
                raise ValueError(f"scale {info.scale!r}, topology {info.topology!r}")
            if not isinstance(info.order, str):
                raise ValueError(f"order {info.order!r}")
            return info


def check_format(attributes: dict[str, Any], where: Path, oldest: int = 1) -> None:
    """Raise ReposeError unless this version of repose reads the format."""
    found = attributes.get("format") if isinstance(attributes, dict) else None
    if not isinstance(found, int) or found > FORMAT:
        raise ReposeError(
            f"GIH store of format {found}, this repose reads up to {FORMAT}", where, "update repose"
        )
    if found < oldest:
        raise ReposeError(
            f"a matrix of format {found}, without the digests of {oldest}", where, "recompute it"
        )


def content_key(
    vertices: NDArray[np.float64], faces: NDArray[np.int32], settings: Settings, method: str, order: str
) -> str:
    """Equal keys, equal matrices: a hash of mesh bytes, parameters, vertex order, code and libraries."""
    parameters = settings.as_dict() | {"method": method, "order": order}
    digest = hashlib.blake2b(digest_size=16)
    made_by = [FORMAT, code_hash(*ALGORITHMS), software(*ALGORITHMS), parameters]
    digest.update(json.dumps(made_by, sort_keys=True).encode())
    for array, kind in ((vertices, "<f8"), (faces, "<i4")):
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array, kind).tobytes())
    return digest.hexdigest()


@njit(cache=True, nogil=True)
def quantise_band(distances: np.ndarray, top: int, scale: float, codes: np.ndarray) -> None:
    """Round one band of a (V, V) float32 matrix to (BAND, V) uint16 codes.

    Codes are zero left of column ``top`` and below the last row. The minimum turns inf into INFINITE; :func:`scale_of`
    keeps finite codes below it.
    """
    codes[:, :top] = 0
    per_metre = 1.0 / scale
    for i in range(len(codes)):
        if top + i < len(distances):
            for j in range(top, distances.shape[1]):
                codes[i, j] = np.uint16(min(distances[top + i, j] * per_metre + 0.5, float(INFINITE)))
        else:
            codes[i] = 0


def scale_of(distances: NDArray[np.float32]) -> float:
    """Return the metres per code for the full range of uint16, so that the error is at most half a code."""
    largest = float(distances.max())
    if np.isinf(largest):
        largest = float(distances.max(initial=0, where=np.isfinite(distances)))
    return largest / (INFINITE - 1) or 1.0


def decode(codes: NDArray[np.uint16], scale: float) -> NDArray[np.float32]:
    """Convert codes to float32 values."""
    values = codes * np.float32(scale)
    values[codes == INFINITE] = np.inf
    return values


def seal(metadata: dict[str, Any]) -> bytes:
    """Return the JSON of Zarr metadata, with a digest over all of it in the attributes."""
    metadata["attributes"][ATTRIBUTES]["digest"] = _digest(metadata)
    return json.dumps(metadata, indent=1).encode()


def unseal(path: Path, files: Stated) -> dict[str, Any]:
    """Read sealed metadata, a file of a store.

    Raises:
        ReposeError: the file is missing, has no GIH metadata, or was altered since it was written.
    """
    if not path.exists():
        raise ReposeError("no such GIH store or matrix", path.parent, "was it computed?")
    data = read_bytes(path, MAX_TEXT)
    files.check(path, data)
    metadata = parse_json(data, path)
    with foreign(path, "not the metadata of a GIH store", "recompute it"):
        is_sound = metadata["attributes"][ATTRIBUTES]["digest"] == _digest(metadata)
    if not is_sound:
        check_format(metadata["attributes"][ATTRIBUTES], path)
        raise ReposeError("the metadata are damaged: digest mismatch", path, "delete and recompute it")
    return metadata


def _digest(metadata: dict[str, Any]) -> str:
    own = {k: v for k, v in metadata["attributes"][ATTRIBUTES].items() if k != "digest"}
    whole = metadata | {"attributes": metadata["attributes"] | {ATTRIBUTES: own}}
    return hashlib.blake2b(json.dumps(whole, sort_keys=True).encode(), digest_size=16).hexdigest()
