"""Write a bundle: a zip whose bytes depend only on the results, with the digest of every file in it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import BinaryIO

from repose.audit.audit import Audit
from repose.bundle.cite import authors_in, datacite, zenodo
from repose.bundle.contents import Contents, LeftOut, contents_of, licence_of, table_of
from repose.bundle.verify import SUMS, Bundle
from repose.errors import ReposeError
from repose.provenance.publish import publish

BLOCK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can store
_ABOUT = """# {title}

Results of `repose`: a table, what it was computed from, and how each file was made.

- `results/`: the table, scores, splits, learning curves, weights and predictions, where a run has them
- `site/`: the same as pages, to open in a browser
- `ro-crate-metadata.json`: how each artefact came about (Provenance Run Crate); `Snakefile`, `workflow/`: what made it
- `LICENCES.csv`: the licence of each file
- `LEFT-OUT.csv`: artefacts that are named here, with size and digest, and not carried
- `datacite.json`, `.zenodo.json`, `CITATION.cff`: how to deposit and to cite it
- `SHA256SUMS`: the digest of every other file; `repose verify`, or `sha256sum --check SHA256SUMS` when unpacked

Digest of the tree, as `repose audit` says it: {digest}

{notes}
"""


def write_bundle(
    found: Audit, project: Path, out: Path, authors: Sequence[str] = ()
) -> tuple[Bundle, list[str]]:
    """Write the bundle of an audited table, and return its facts and what it lacks.

    Args:
        found: an audit without faults.
        project: the folder of the Snakefile and of CITATION.cff.
        out: the zip to write; an existing one is replaced.
        authors: who publishes the results, `Family, Given`; those of CITATION.cff if there are none.

    Raises:
        ReposeError: the audit has faults, a file of the project is missing, or one changed while it was read.
    """
    if out.suffix != ".zip":
        raise ReposeError("a bundle is a .zip", out)
    contents = contents_of(found, project)
    named = [{"name": name, "kind": "Personal"} for name in authors] or authors_in(project / "CITATION.cff")
    _add_texts(found, contents, named)
    return pack(contents, out), contents.notes


def pack(contents: Contents, out: Path) -> Bundle:
    """Write files and texts as a zip, with the list of their digests last."""
    with publish(out) as private, zipfile.ZipFile(private, "w", zipfile.ZIP_STORED) as archive:
        sums = dict(_write_all(archive, contents))
        listing = "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()
        digest = _write(archive, SUMS, io.BytesIO(listing), len(listing))
    return Bundle(len(sums) + 1, out.stat().st_size, digest)


def _add_texts(found: Audit, contents: Contents, authors: Sequence[dict[str, str]]) -> None:
    assert found.root.manifest
    title = f"repose: {found.root.place.removesuffix('.manifest.json')}"
    notes = [f"Not in it: {note}." for note in contents.notes]
    about = _ABOUT.format(title=title, digest=found.digest, notes="\n".join(notes))
    contents.texts["README.md"] = about
    rows = [tuple(map(str, astuple(one))) for one in sorted(contents.left_out, key=lambda one: one.file)]
    contents.texts["LEFT-OUT.csv"] = table_of([tuple(f.name for f in fields(LeftOut)), *rows])
    licences = sorted({one for text in contents.licences.values() for one in text.split(" AND ") if one})
    description = (
        f"A table of pose transfer, {len(found.rows)} rows, with scores, splits, predictions, weights, the workflow "
        f"that made them and the provenance of each. Digest of the tree: {found.digest}."
    )
    day = max(node.manifest.history["started"] for node in found.nodes if node.manifest)[:10]
    for name, make in (("datacite.json", datacite), (".zenodo.json", zenodo)):
        contents.texts[name] = json.dumps(make(title, description, authors, licences, day), indent=1) + "\n"
    own = [*contents.texts, "LICENCES.csv", SUMS]
    contents.licences |= dict.fromkeys(own, "MIT")  # these are written by this program
    names = sorted([*contents.files, *own])
    lines = [(name, licence_of(name, contents) or "unknown") for name in names]
    contents.texts["LICENCES.csv"] = table_of([("file", "licence"), *lines])


def _write_all(archive: zipfile.ZipFile, contents: Contents) -> Iterator[tuple[str, str]]:
    """Write all files in the order of their names; yield name and sha256 of each."""
    for name in sorted({*contents.files, *contents.texts}):
        if name in contents.texts:
            data = contents.texts[name].encode()
            digest = _write(archive, name, io.BytesIO(data), len(data))
        else:
            source = contents.files[name]
            with source.open("rb") as stream:
                digest = _write(archive, name, stream, source.stat().st_size)
            if digest != contents.stated.get(name, digest):
                raise ReposeError("changed while it was published", source, "publish when no run goes on")
        yield name, digest


def _write(archive: zipfile.ZipFile, name: str, source: BinaryIO, size: int) -> str:
    """Write one file uncompressed: compressed bytes depend on the version of the compressor, and can be a bomb."""
    info, digest = zipfile.ZipInfo(name, _EPOCH), hashlib.sha256()
    info.file_size, info.external_attr, info.create_system = size, 0o100644 << 16, 3
    with archive.open(info, "w") as target:
        while block := source.read(BLOCK):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()
