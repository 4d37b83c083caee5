"""Files that a user supplies and names in the config together with their hash."""

import hashlib
from pathlib import Path

from repose.errors import ReposeError


def check_supplied(file: str, sha256: str) -> Path:
    """Return the path of a file after checking its hash.

    Raises:
        ReposeError: the file is missing, or has another hash.
    """
    path = Path(file)
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ReposeError(f"cannot read: {error.strerror}", path) from None
    if found != sha256:
        raise ReposeError(
            f"sha256 is {found}", path, "the config has another: supply that file, or name this one"
        )
    return path
