"""The command `repose generate`: from a trained pose generator to meshes and a contact sheet."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.mesh.formats.asset import write_asset
from repose.mesh.formats.io import write_mesh
from repose.mesh.mesh import Mesh
from repose.mesh.render import common_view, render
from repose.methods.interface import PoseGenerator, RestBody
from repose.provenance.publish import publish
from repose.report.sheet import contact_sheet
from repose.use.transfer.body import Body
from repose.use.transfer.files import Said, read_body
from repose.weights.model import open_model

SIZE, ACROSS = (260, 200), 8  # pixels; pictures in a row


def generate(run: Path, out: Path, count: int, template: Path | None, seed: int, says: Said) -> None:
    """Write `pose000.obj`, … and `sheet.png` to the folder `out`; with a template, poses are in its file format.

    Args:
        run: folder of a run of a method that generates poses.
        out: the folder to make; one that is there is refused.
        count: how many poses.
        template: body at rest; its poses keep all that its file has, and its axes and unit. None: the one learned from.
        seed: of all draws.
        says: what the user says about the frame of the template.

    Raises:
        ReposeError: `out` is there, the run is not or is of another method, no body is known, or a mesh cannot be read.
    """
    if out.exists():
        raise ReposeError("is there already", out, "name a new folder")
    if not run.exists():
        raise ReposeError(
            "no such run", run, "give one that generates poses, as results/runs/DATASET/npr-diffusion/seed0"
        )
    model = open_model(run)
    network = model.network
    if not isinstance(network, PoseGenerator):
        raise ReposeError(
            f"{model.settings['architecture']} generates no poses", run, "give a run of npr-diffusion, say"
        )
    print(f"model     {model}")
    source = read_body(template, says) if template else None
    body = source.body if source else None
    at_rest = _rest_body(body) if body else network.learned_body
    if at_rest is None:
        raise ReposeError("this model has no body of its own", run, "give one as --template")
    faces = at_rest.faces.numpy()
    draw = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        made = network.make(at_rest, count, draw).double().numpy()
    if not np.isfinite(made).all():
        raise ReposeError("makes poses that are no numbers", model.weights)
    with publish(out) as folder:
        folder.mkdir()
        for number, mesh in enumerate(made):
            if source:
                posed = source.body.with_shape(mesh).vertices
                write_asset(source.asset, folder / f"pose{number:03}{source.asset.path.suffix}", posed)
            else:
                write_mesh(folder / f"pose{number:03}.obj", Mesh(mesh, faces))
        (folder / "sheet.png").write_bytes(_sheet(made, faces))
    print(f"result    {out}: {count} meshes of {made.shape[1]:,} vertices, and sheet.png")


def _rest_body(body: Body) -> RestBody:
    rest, faces = body.upright.astype(np.float32), body.faces.astype(np.int64)
    return RestBody(torch.from_numpy(rest), torch.from_numpy(faces))


def _sheet(made: NDArray[np.float64], faces: NDArray[np.integer]) -> bytes:
    view = common_view(list(made), SIZE)
    pictures = [render(mesh, faces, SIZE, view) for mesh in made]
    return contact_sheet([pictures[k : k + ACROSS] for k in range(0, len(pictures), ACROSS)])
