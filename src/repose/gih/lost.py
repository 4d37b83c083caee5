"""Detect deleted matrices of a finished part. The workflow asks, so this module imports next to nothing."""

import hashlib
import json
import re
from pathlib import Path

from repose.errors import ReposeError
from repose.provenance.manifest import load, manifest_path

_DIGEST = re.compile(r"[0-9a-f]{16}|")


def checked(text: object) -> str:
    """Return a stored digest, which goes into a command line; anything else is refused.

    Raises:
        ReposeError: the text does not have the form of a digest.
    """
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise ReposeError("is not a digest of lost matrices", where=str(text)[:40])
    return text


def lost(out: Path, root: Path) -> str:
    """Return a digest of the matrices that a finished part has lost from the store, for a rule to pass as a parameter.

    Snakemake does not see the store, but it re-runs a job whose parameters changed. So the digest changes when somebody
    deletes matrices; the job runs once more, and the digest keeps the value of that run.

    Args:
        out: the file that the stage's `part` wrote. root: the store.

    Returns:
        A digest of the missing keys. If none is missing, the digest that the part was last given, which is empty at
            first.
    """
    try:
        keys = set(json.loads(out.read_text(encoding="utf-8"))["meshes"].values())
        before = checked(load(manifest_path(out)).history["lost"])
    except (OSError, ReposeError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        # It never ran, or its files are damaged: then it runs again anyway, or its reader reports the damage.
        return ""
    there = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    gone = sorted(key for key in keys if key not in there)
    if keys and not any(name.startswith("order-") for name in there):
        gone.append("order")
    return hashlib.blake2b(" ".join(gone).encode(), digest_size=8).hexdigest() if gone else before
