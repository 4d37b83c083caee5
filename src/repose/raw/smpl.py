"""SMPL bodies made from a model file, drawn as SMPL-NPT's were: for those who have the model but not the meshes.

The published set is of the male model. Identities 0-15 and poses 0-799 follow the released generator; that identities
16-29 of the published set follow the same rule is not verified.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repose.config.datasets import Smpl
from repose.errors import ReposeError
from repose.mesh.mesh import Mesh
from repose.raw import smpl_sampling as sampling
from repose.raw.files import as_float32, check_counts, located, mesh_key
from repose.raw.inventory import Inventory, Wanted
from repose.raw.registry import ENTRIES
from repose.raw.smpl_body import read_body_model
from repose.raw.source import Item

ENTRY = ENTRIES["smpl"]


def is_model(path: str) -> bool:
    """Whether a file is a model."""
    return ENTRY.match(path) is not None


def wanted(dataset: Smpl) -> Wanted:
    """The model file."""
    return is_model


def check(dataset: Smpl, inventory: Inventory) -> None:
    """Refuse more than one model, and one that cannot be read."""
    if len(inventory.files) > 1:
        both = " and ".join(file.path for file in inventory.files[:2])
        raise ReposeError(
            f"{both}: which model?", inventory.root, "keep one; the published set is of the male"
        )
    read_body_model(inventory.root / inventory.files[0].path)


@dataclass(frozen=True)
class ModelSource:
    """Every chosen identity in every chosen pose; see `repose.raw.source.Source`."""

    inventory: Path
    root: Path
    dataset: Smpl

    @property
    def licence(self) -> str:
        """The model's licence."""
        return ENTRY.licence

    def items(self) -> list[Item]:
        """All pairs of identity and pose."""
        [model] = Inventory.read(self.inventory).files
        return [
            Item(
                i,
                p,
                mesh_key(model.sha256, sampling.betas(i).tolist(), sampling.pose(p).tolist()),
                model.path,
            )
            for i in self.dataset.identities.all()
            for p in self.dataset.poses.all()
        ]

    def meshes(self, items: Sequence[Item]) -> Iterator[Mesh]:
        """Pose the model."""
        listed = Inventory.read(self.inventory)
        path = self.root / listed.files[0].path
        model = read_body_model(path)
        for item in items:
            vertices = model.vertices(sampling.betas(item.identity), sampling.pose(item.pose))
            mesh = as_float32(Mesh(vertices, model.faces), path)
            check_counts(mesh, ENTRY, path)
            yield mesh


def open_source(dataset: Smpl, raw: Path) -> ModelSource:
    """See `repose.raw.source.open_source`; `raw` is the inventory."""
    return ModelSource(*located(raw), dataset)
