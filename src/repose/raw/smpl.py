"""SMPL bodies made from a model file like those of SMPL-NPT, for users who have the model but not the meshes.

The published set uses the male model. Identities 0-15 and poses 0-799 follow the released generator; that identities
16-29 of the published set follow the same rule is not verified.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from repose.errors import ReposeError
from repose.raw.entry import Entry, named
from repose.raw.keys import mesh_key
from repose.raw.licensed import Listed
from repose.raw.smpl_npt import SmplBodies
from repose.raw.source import Item

if TYPE_CHECKING:
    from repose.mesh.mesh import Mesh
    from repose.raw.inventory import Inventory


class Smpl(SmplBodies):
    """Bodies made from an SMPL model file in the same way as those of SMPL-NPT."""

    entry: ClassVar[Entry] = Entry(
        what="the SMPL model file, from which bodies are drawn as SMPL-NPT's were (Loper et al., 2015)",
        licence="SMPL model licence, non-commercial research",
        home="https://smpl.is.tue.mpg.de",
        get="the male model (version 1.0 or 1.1, .pkl or .npz)",
        files=named(
            r"(?:basic[mM]odel_[mfn]\w*_lbs_10_207_0_v[\d.]+|SMPL_\w+|model_(?:male|female))\.(?:npz|pkl)"
        ),
        expected=1,
        naming="identity and pose are the seeds of the published generator",
        split="as smpl-npt",
        doubts="the .pkl reader was not tried on an original; whether identities 16-29 follow the published rule",
        vertices=6890,
        faces=13_776,
    )

    source: Literal["smpl"]

    def check(self, inventory: "Inventory") -> None:
        """Refuse more than one model, and a model that cannot be read.

        Raises:
            ReposeError: there are several models (the message names two), or the model cannot be read.
        """
        from repose.raw.smpl_body import read_body_model

        if len(inventory.files) > 1:
            both = " and ".join(file.path for file in inventory.files[:2])
            raise ReposeError(
                f"{both}: which model?", inventory.root, "keep one; the published set is of the male"
            )
        read_body_model(inventory.root / inventory.files[0].path)

    def open_source(self, raw: Path) -> "ModelSource":
        """Open the bodies of the model in the inventory `raw`; see `repose.raw.settings.Dataset`."""
        return ModelSource.of(raw, self)


class ModelSource(Listed[Smpl]):
    """Every chosen identity in every chosen pose; see `repose.raw.source.Source`."""

    def items(self) -> list[Item]:
        """Return all pairs of identity and pose; a key covers the model file and the drawn numbers."""
        from repose.raw import smpl_sampling as sampling

        def item(identity: int, pose: int) -> Item:
            drawn = sampling.betas(identity).tolist(), sampling.pose(pose).tolist()
            return Item(identity, pose, mesh_key(model.sha256, *drawn), model.path)

        [model] = self.files
        return [item(i, p) for i in self.dataset.identities.all() for p in self.dataset.poses.all()]

    def meshes(self, items: Sequence[Item]) -> Iterator["Mesh"]:
        """Pose the model, in metres, y up.

        Raises:
            MeshError: the model does not have the vertices and faces of SMPL.
        """
        from repose.mesh.mesh import Mesh
        from repose.raw import smpl_sampling as sampling
        from repose.raw.files import checked
        from repose.raw.smpl_body import read_body_model

        [listed] = self.files
        path = self.root / listed.path
        model = read_body_model(path)
        for item in items:
            vertices = model.vertices(sampling.betas(item.identity), sampling.pose(item.pose))
            yield checked(Mesh(vertices, model.faces), self.dataset, path)
