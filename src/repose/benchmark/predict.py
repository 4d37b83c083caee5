"""Predict with our own methods on versioned lists whose pose meshes are not in the dataset, such as `unseen-decimated`.

Predictions of the other lists are those of the stage `predict`, on the part of the split that the list is from.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import TypeAdapter

from repose import specs
from repose.benchmark.listed_meshes import ListedMeshes
from repose.benchmark.lists import List, Row
from repose.benchmark.sources import Sources, write_vertices
from repose.config.models import Method
from repose.data.meshes import centred, sides
from repose.errors import ReposeError
from repose.mesh.finish import Finish
from repose.mesh.mesh import Mesh
from repose.mesh.projection import finished
from repose.mesh.rests import Rests
from repose.methods.build import count_parameters
from repose.methods.interface import Faces, TransferNetwork
from repose.methods.shuffle import transfer_shuffled
from repose.methods.tracks import left_out
from repose.predict.network import load_network, opened
from repose.progress import track
from repose.provenance.making import making
from repose.provenance.manifest import Manifest
from repose.provenance.stated import stated
from repose.score.artefact import inputs_of
from repose.store.arrays import StoredArray

if TYPE_CHECKING:
    from torch import Tensor

    from repose.config.models import Compute
    from repose.methods.settings import MethodSettings


ROWS = 10  # rows of a learned method that an audit predicts again
TOLERANCE = 1e-4  # metres, in the mean; float32 on another machine


def run(
    method: "MethodSettings", compute: "Compute", listed: Path, store: Path, model: Path | None, out: Path
) -> None:
    """Write a method's predictions of a list, in the format of the stage `predict`.

    Args:
        method: settings of the method.
        compute: the device of its network.
        listed: the list.
        store: the packed meshes that its meshes are made from.
        model: the weights of a learned method.
        out: the Zarr store to write.

    Raises:
        ReposeError: the method needs vertices that correspond, and the pose meshes of the list have others.
    """
    sources = Sources(listed, store)
    inputs = {**sources.meshes, **({"run": model} if model else {})}
    with making(specs.benchmark_predict(method, compute), out, inputs, later=("store",)) as new:
        if new.finished:
            return
        listing, bodies = sources.open()
        if why := left_out(method, True, listing.has_other_triangles):
            raise ReposeError(
                f"{out.parent.name} {why}", f"{listing.dataset}/{listing.name}", "track P needs none"
            )
        network, device = opened(method, model, compute)
        with new.file(out) as private:
            vertices = predicted(network, listing, bodies, device, method.projection)
            write_vertices(private, listing, vertices)
        new.describe = {"protocols": [listing.name], "parameters": count_parameters(network)}


def differs_from_network(predictions: Manifest) -> list[str]:
    """Predict again (the first rows if the method is learned), and report a mean difference larger than rounding."""
    inputs = inputs_of(predictions)
    method: Method = TypeAdapter(Method).validate_python(predictions.history["params"]["method"])
    listing, bodies = Sources(inputs["listed"], inputs["store"]).open()
    listing = replace(listing, rows=listing.rows[:ROWS] if method.learned else listing.rows)
    network: Any = load_network(method, inputs.get("run"))
    again = predicted(network, listing, bodies, "cpu", method.projection)
    folder = predictions.artefact
    there = StoredArray(folder / listing.name / "vertices", stated(folder)).rows(0, len(again))
    error = float(np.abs(there.astype(np.float64) - again).mean()) if there.shape == again.shape else np.inf
    return (
        [] if error <= TOLERANCE else [f"differs from what the method predicts, by {error:.3g} m in the mean"]
    )


@torch.inference_mode()
def predicted(
    network: TransferNetwork, listing: List, bodies: ListedMeshes, device: str, finish: Finish = "none"
) -> np.ndarray:
    """Return the predicted vertices of every row (rows, V, 3), float32, metres, in the order of the identity mesh.

    Each row has its own vertex orders, because pose meshes may have any number of vertices.

    Raises:
        ReposeError: the network predicts values that are not finite.
    """
    found = [
        _one(network, row, bodies, np.random.default_rng(number), device, finish)
        for number, row in enumerate(
            track(listing.rows, len(listing.rows), f"{listing.dataset} {listing.name}")
        )
    ]
    vertices = torch.cat(found).cpu().numpy()
    if not np.isfinite(vertices).all():
        raise ReposeError("predicts vertices that are no numbers", f"{listing.dataset}/{listing.name}")
    return vertices


def _one(
    network: TransferNetwork,
    row: Row,
    bodies: ListedMeshes,
    draw: np.random.Generator,
    device: str,
    finish: Finish,
) -> "Tensor":  # (1, V, 3)
    first, second = bodies.mesh(row.identity_mesh), bodies.mesh(row.pose_mesh)
    identity, pose = _batch(first, device), _batch(second, device)
    order, pose_order = (torch.from_numpy(draw.permutation(x.shape[1])).to(device) for x in (identity, pose))
    faces, rests = Faces(_faces(first, device), _faces(second, device)), None
    if network.rest_pose is not None:
        at_rest = bodies.rest(row.identity_mesh), bodies.rest(row.pose_mesh)
        rests = Rests(
            *(_batch(mesh, device) for mesh in at_rest), *(_faces(mesh, device) for mesh in at_rest)
        )
    if network.unit_area:
        side, other = sides(identity, faces.identity), sides(pose, faces.pose)
        seen = transfer_shuffled(network, identity / side, pose / other, order, pose_order, faces, rests)
        out = seen.times(side)
    else:
        out = transfer_shuffled(network, identity, pose, order, pose_order, faces, rests)
    return finished(finish, identity, first.faces, pose, second.faces, out.vertices, out.warp)


def _batch(mesh: Mesh, device: str) -> "Tensor":  # (1, V, 3), about the middle of its box
    return centred(mesh.vertices.astype(np.float32)[None]).to(device)


def _faces(mesh: Mesh, device: str) -> "Tensor":  # (F, 3)
    return torch.from_numpy(mesh.faces.astype(np.int64)).to(device)
