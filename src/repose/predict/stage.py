"""Stage `predict`: weights and test triples → predicted vertices, images, or made-up poses."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pandas as pd
import torch

from repose.config.models import Compute, Method
from repose.methods.build import count_parameters
from repose.methods.copies.settings import CopyPosesSettings
from repose.methods.generation import PoseMaker
from repose.methods.npr_diffusion.settings import NprDiffusionSettings
from repose.predict.images import predict_images
from repose.predict.meshes import predict
from repose.predict.network import load_network
from repose.predict.poses import predict_poses
from repose.provenance.code import of_medium, stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.store.image_store import ImageStore
from repose.store.mesh_store import MeshStore


def run(
    method: Method, compute: Compute, store: Path, splits: Mapping[str, Path], model: Path | None, out: Path
) -> None:
    """Write the predictions of every protocol in `splits` to the Zarr store `out`."""
    params = {"method": method.model_dump(mode="json"), "compute": compute.model_dump(mode="json")}
    code = stage_code(of_medium("predict", method.medium), method.network)
    recorder = Recorder("predict", code, params)
    recorder.uses("store", manifest_path(store))
    for protocol, split in splits.items():
        recorder.uses(protocol, manifest_path(split))
    if model:
        recorder.uses("run", manifest_path(model))
    if recorder.reuse(manifest_path(out)):
        return
    torch.set_num_threads(compute.threads)
    network = load_network(method, model)
    device = "cuda" if compute.device != "cpu" and torch.cuda.is_available() else "cpu"
    triples = {protocol: pd.read_parquet(split) for protocol, split in splits.items()}
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        label = " ".join(out.with_suffix("").parts[-3:])
        if method.medium == "images":
            predict_images(network, ImageStore(store), triples, device, private, label)
        elif isinstance(method, NprDiffusionSettings | CopyPosesSettings):
            maker = cast(PoseMaker, network.to(device))
            predict_poses(maker, MeshStore(store), triples, method.source, device, private, label)
        else:
            predict(network, MeshStore(store), triples, device, private, label)
    parameters = count_parameters(network)
    recorder.seal(manifest_path(out), [out], {"protocols": sorted(splits), "parameters": parameters})
