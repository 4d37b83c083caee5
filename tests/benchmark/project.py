"""A dataset of tiny bodies with its lists, as the workflow would have left it, and submissions to it."""

import hashlib
from pathlib import Path

import numpy as np
import yaml
from released import body, faces_of
from typer.testing import CliRunner

from repose.benchmark import lists
from repose.benchmark.inputs import identity_order
from repose.cli import app
from repose.config.load import load_files
from repose.convert.bodies import write_bodies
from repose.plan import Plan
from repose.predict import stage as predicting
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.owner import mark
from repose.results import Results
from repose.split import meshes as splitting
from repose.store import meshes as storing

CONFIG = """\
datasets:
  tiny:
    source: open-human
    vertices: 300
    identities: {train: 2, val: 2, test: 3}
    poses: {train: 4, val: 2, test: 3}
    pairs: {train: 20, val: 2, test: 12}
    protocols: [unseen]
methods:
  copy-identity: {architecture: copy, mesh: identity}
  rotations: {architecture: copy, mesh: pose, finish: rotations}
  closest: {architecture: copy, mesh: identity, finish: icp}
tables:
  table1: {datasets: [tiny], methods: [copy-identity, rotations, closest]}
compute: {device: cpu}
"""
METHODS = ("copy-identity", "rotations", "closest")


class Site:
    """A project whose lists are made."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.plan = Plan(load_files(folder / "config.yaml"), Results(folder / "results"))

    @property
    def listing(self) -> lists.List:
        return lists.read_list(self.plan.results.benchmark_list("tiny", "unseen"))

    def repose(self, *arguments: object):
        """Run a command in this process; what it says, or the error that it ends in."""
        where = ["--config", self.folder / "config.yaml", "--results", self.folder / "results"]
        return CliRunner().invoke(app, [str(a) for a in (*arguments, *where)])

    def truth(self, row: lists.Row) -> np.ndarray:
        i, p = map(int, row.truth_mesh.removeprefix("id").split("_"))
        return body(i, p, 122)


def make(folder: Path) -> Site:
    """Everything up to the lists, by the stages themselves."""
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG)
    mark(folder / "results")
    site = Site(folder)
    plan, settings = site.plan, site.plan.config.datasets["tiny"]
    catalog, files = plan.results.catalog("tiny"), plan.converted("tiny")
    meshes = ((i, p, body(i, p, 122)) for i in range(7) for p in range(9))
    write_bodies(meshes, faces_of(122), files, "made", "own").to_parquet(catalog)
    for path in (catalog, files):
        Recorder("convert", "code", {}).seal(manifest_path(path), [path])
    recipe, upper = plan.results.recipe("tiny"), body(0, 0, 122)[:, 1] > 0
    np.savez(
        recipe,
        skin_bones=np.stack([upper, ~upper], 1),
        skin_weights=np.tile(np.float32([0.7, 0.3]), (122, 1)),
    )
    Recorder("raw", "code", {}).seal(manifest_path(recipe), [recipe])
    storing.run(catalog, files, plan.packed("tiny"))
    for part in ("train", "unseen", "one-source"):
        splitting.run(settings, part, catalog, plan.results.split("tiny", part))
    for part in ("unseen", "one-source"):
        need = plan.benchmark("tiny", part)
        lists.run(settings, "tiny", part, **need.inputs, out=need.out)
    for method in METHODS:
        need = plan.predict("tiny", method, 0)
        splits = {part: path for part, path in need.inputs.items() if part != "store"}
        predicting.run(
            plan.config.methods[method], plan.config.compute, need.inputs["store"], splits, None, need.out
        )
    return site


def fill_card(folder: Path, **changes) -> None:
    """Fill in the card that `init` wrote; `changes` by the dotted key, with `__` for the dot."""
    card = yaml.safe_load((folder / "card.yaml").read_text())
    card |= {
        "parameters": 0,
        "hardware": "a laptop",
        "seconds_per_triple": 0.1,
        "contact": "me",
        "date": "2026-01-31",
    }
    card["method"] |= {"name": "mine", "version": "1.0", "licence": "MIT"}
    card["training"] |= {"supervision": "none", "chosen_on_test": False}
    for key, value in changes.items():
        *above, last = key.split("__")
        section = card
        for part in above:
            section = section[part]
        section[last] = value
    (folder / "card.yaml").write_text(yaml.safe_dump(card))


def sign(folder: Path) -> None:
    """Write SHA256SUMS."""
    files = [folder / "card.yaml", *sorted((folder / "predictions").iterdir())]
    lines = [
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(folder)}\n"
        for f in files
        if f.is_file()
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


def predict(site: Site, folder: Path, track: str = "P", noise: float = 0.004, **changes) -> Path:
    """Hand in the truths with some noise, in the order of the identity's files."""
    listing = site.listing
    for number, row in enumerate(listing.rows):
        order = identity_order(listing, row, track, 122)
        wrong = np.random.default_rng(number).normal(0, noise, (122, 3))
        vertices = (site.truth(row) + wrong)[order].astype(np.float32)
        np.savez(folder / "predictions" / f"{row.triple_id}.npz", vertices=vertices)
    fill_card(folder, **changes)
    sign(folder)
    return folder
