"""Has somebody deleted matrices of a finished part? Asked by the workflow, so it imports next to nothing."""

import hashlib
import json
import re
from pathlib import Path

from repose.errors import ReposeError
from repose.provenance.manifest import load, manifest_path

_DIGEST = re.compile(r"[0-9a-f]{16}|")


def checked(text: object) -> str:
    """A stored digest, which comes to a command line: anything else is refused.

    Raises:
        ReposeError: it is not of a digest's form.
    """
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise ReposeError("is not a digest of lost matrices", where=str(text)[:40])
    return text


def lost(out: Path, root: Path) -> str:
    """Which matrices of a finished part have gone from the store, for a rule to pass as a parameter.

    Snakemake does not see the store, but it runs a job again whose parameters changed. So this changes when
    somebody deletes matrices, and afterwards stays what it was when the job last ran, which is done once.

    Args:
        out: what the stage's `part` wrote. root: the store.

    Returns:
        A digest of the missing keys, as that part was last given if none is missing; empty at first.
    """
    try:
        keys = set(json.loads(out.read_text(encoding="utf-8"))["meshes"].values())
        before = checked(load(manifest_path(out)).history["lost"])
    except (OSError, ReposeError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return ""  # never ran, or its files are damaged: then it runs again anyway, or its reader says so
    there = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    gone = sorted(key for key in keys if key not in there)
    if keys and not any(name.startswith("order-") for name in there):
        gone.append("order")
    return hashlib.blake2b(" ".join(gone).encode(), digest_size=8).hexdigest() if gone else before
