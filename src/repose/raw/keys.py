"""Keys of raw meshes and images: digests of everything that they depend on, except code."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def mesh_key(*parts: object) -> str:
    """Return a hex digest of texts and numbers that a mesh depends on, in order."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def digest_of(*parts: "str | np.ndarray") -> str:
    """Return a hex digest of texts and arrays, of any shape and type, in order."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(f"{part}\n".encode())
        else:
            digest.update(f"{part.dtype.str}{part.shape}\n".encode() + part.tobytes())
    return digest.hexdigest()
