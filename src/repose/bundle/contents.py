"""The contents of a bundle, and what is left out, with the reason.

Files of a user-supplied dataset may not be redistributed: neither its meshes or images, nor what shows them, such as
predictions, nor what was learned from them. The bodies of open datasets can be made again from settings and a seed.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from repose.audit.audit import Audit
from repose.audit.crate import Crate, is_small, place_in
from repose.audit.tree import Node, grow
from repose.errors import ReposeError
from repose.provenance.listing import files_in
from repose.provenance.manifest import load, manifest_path, verify
from repose.raw.inventory import Inventory
from repose.site.addresses import bodies, pictures

# stages whose artefacts are carried completely, besides what every crate carries
WHOLE = ("train", "predict")
SUPPLIED, DATA, FOREIGN = (
    "of a user-supplied dataset",
    "follows from settings and a seed",
    "was handed in by others",
)


@dataclass(frozen=True)
class LeftOut:
    """A file that is named but not carried: its place, size in bytes, digest, licence, and the reason."""

    file: str
    bytes: int
    sha256: str
    licence: str
    why: str


@dataclass
class Contents:
    """The contents of a bundle.

    Attributes:
        files: source of each file, by its place in the bundle.
        stated: the sha256 that manifests state for some of these files.
        texts: further files, by their place.
        licences: licence of each file, as far as it is known.
        left_out: files of artefacts that are named but not carried.
        notes: what else is missing, and why, one line each.
    """

    files: dict[str, Path] = field(default_factory=dict)
    stated: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def contents_of(found: Audit, project: Path) -> Contents:
    """Decide what goes into the bundle of an audited table.

    Args:
        found: an audit without faults.
        project: the folder of the Snakefile, the licence and CITATION.cff.

    Raises:
        ReposeError: the audit has faults, or a file of the project is missing.
    """
    if found.faults:
        raise ReposeError(
            "no bundle is made of a tree that does not hold", found.root.path, found.faults[0][1]
        )
    for name in ("LICENSE", "CITATION.cff"):
        if not (project / name).is_file():
            raise ReposeError(f"no {name} here", project, "it lies beside the Snakefile of a checkout")
    supplied = {node.place for node in found.nodes if _is_supplied(node)}
    crate = Crate(found, project, lambda node, name: _is_carried(node, name, supplied))
    made = Contents(texts={"ro-crate-metadata.json": crate.text}, licences=dict(crate.licences))
    for place, source in crate.carried.items():
        made.files |= dict(_expanded(place, source))
    for node in found.nodes:
        made.left_out += _left_out(node, crate, supplied)
        made.stated |= _stated(node, made.files)
    _add_site(found, crate, made)
    made.notes += _datasets_left_out(found.nodes, crate)
    return made


def licence_of(name: str, contents: Contents) -> str:
    """Return the licence of a file, or of the folder that it is carried in."""
    path = PurePosixPath(name)
    places = (str(one) for one in (path, *path.parents))
    return next((contents.licences[one] for one in places if one in contents.licences), "")


def table_of(rows: list[tuple[str, ...]]) -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _is_supplied(node: Node) -> bool:
    """Return whether an artefact is of a user-supplied dataset, or was made from one."""
    return any(one.inventories for one in node.walk())


def _is_carried(node: Node, name: str, supplied: set[str]) -> bool:
    """Return whether a bundle carries a file or folder of an artefact."""
    if is_small(node, name):
        return node.stage != "handed-in"
    return node.stage in WHOLE and node.place not in supplied


def _expanded(place: str, source: Path) -> Iterator[tuple[str, Path]]:
    if not source.is_dir():
        yield place, source
        return
    for name, _ in files_in(source):
        if not name.endswith("/"):  # an empty folder, which a zip does not need
            yield f"{place}/{name}", source / name


def _left_out(node: Node, crate: Crate, supplied: set[str]) -> Iterator[LeftOut]:
    licence = " AND ".join(crate.licences_of(node))
    why = SUPPLIED if node.place in supplied else FOREIGN if node.stage == "handed-in" else DATA
    for name, facts in node.files.items():
        place = place_in(node, name)
        if place not in crate.carried:
            yield LeftOut(place, facts["bytes"], facts["sha256"], licence, why)
    for path in node.inventories:
        for file in Inventory.read(path).files:
            where = f"{node.title.removesuffix('/raw')}: {file.path}"
            yield LeftOut(where, file.size, file.sha256, licence, SUPPLIED)


def _stated(node: Node, files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    for name, facts in node.files.items():
        place = place_in(node, name)
        if place in files and "list" not in facts:
            yield place, facts["sha256"]


def _add_site(found: Audit, crate: Crate, made: Contents) -> None:
    """Add the pages if they exist and show this very table, without bodies and images of user-supplied datasets."""
    folder = found.root.path.parent / "site"
    manifest = manifest_path(folder)
    if not manifest.exists():
        made.notes.append("no site: it was not made (`make site`)")
        return
    verify(manifest)
    tree = grow(manifest, hashed=False)
    shown = tree.parents.get(f"table:{found.root.path.name.removesuffix('.manifest.json')}")
    mine = found.root.manifest
    if shown is None or mine is None or load(shown.path).digest != mine.digest or tree.faults:
        made.notes.append("no site: it is of another state of the results (`make site` makes it again)")
        return
    datasets = {n.place.split("/")[1] for n in tree.walk() if n.inventories}
    closed = {f"{place}/": dataset for dataset in datasets for place in (bodies(dataset), pictures(dataset))}
    left = set[str]()
    for name, _ in files_in(folder):
        dataset = next((d for start, d in closed.items() if name.startswith(start)), None)
        if dataset and not name.endswith("/index.js"):
            left.add(dataset)
        else:
            made.files[f"site/{name}"] = folder / name
    made.licences["site"] = " AND ".join(
        sorted({*crate.licences_of(tree), "MIT"})
    )  # ours, and that of three.js
    made.notes += [
        f"the site is without the bodies and pictures of {dataset}, a user-supplied dataset"
        for dataset in sorted(left)
    ]


def _datasets_left_out(nodes: list[Node], crate: Crate) -> Iterator[str]:
    for node in nodes:
        if node.inventories:
            licence = " AND ".join(crate.licences_of(node)) or "licence unknown"
            yield (
                f"{node.place.split('/')[1]} is user-supplied ({licence}): its raw files, meshes or images, and the "
                "weights and predictions made from them, are named with their digests and left out"
            )
