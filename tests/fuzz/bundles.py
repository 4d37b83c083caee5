"""The reader of bundles that others publish: bundle."""

import hashlib
import io
import random
import warnings
import zipfile
from pathlib import Path

from fuzz.mutate import mutated
from fuzz.reader import Reader, by_path, lazy

from repose.bundle.contents import Contents
from repose.bundle.verify import SUMS
from repose.bundle.write import pack

_NAMES = [
    "../x",
    "/x",
    "a/../x",
    "a//x",
    "a\\x",
    "A",
    "a",
    "a/",
    "",
    "\n",
    "x" * 300,
    "a\0x",
    SUMS,
    "\u212a",
    "c/" * 99,
]


def _bundles(folder: Path) -> list[bytes]:
    contents = Contents(texts={"a": "hello", "b/c": "x" * 300, "b/d": ""})
    pack(contents, folder / "seed.zip")
    return [(folder / "seed.zip").read_bytes()]


def _changed(draw: random.Random, seeds: list[bytes]) -> bytes:
    """A file damaged anywhere, or one made anew with digests that hold, other names, or members that are packed."""
    if draw.random() < 0.5:
        return mutated(draw, seeds, False)
    members = [
        ("a", b"hello"),
        *((draw.choice(_NAMES), bytes(draw.choice([0, 9, 1 << 16]))) for _ in range(draw.choice([0, 1, 2]))),
    ]
    listing = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in members)
    out, packing = io.BytesIO(), draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", packing) as archive:
        warnings.simplefilter("ignore")  # that a name is there twice
        for name, data in [*members, (SUMS, listing.encode())]:
            info = zipfile.ZipInfo(name)
            info.external_attr = draw.choice([0, 0o100644, 0o120777, 0o040755, 0o060644]) << 16
            archive.writestr(info, data)
    data = out.getvalue()
    return mutated(draw, [data], False) if draw.random() < 0.3 else data


BUNDLES = (
    Reader(
        "bundle", _bundles, by_path("b.zip", lazy("repose.bundle.verify", "verify_bundle")), change=_changed
    ),
)
