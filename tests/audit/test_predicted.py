"""Predictions made again: true ones hold, also where a network's batch norms depend on who is in a batch."""

import pytest
import torch
from provenance.stores import seal
from puppets import puppet_pairs, puppet_store, transfer_method
from pydantic import TypeAdapter
from safetensors.torch import save_file

from repose.audit.predicted import differs_from_network
from repose.config.models import Compute, Method
from repose.methods.build import build
from repose.predict import stage
from repose.provenance.manifest import load, manifest_path


@pytest.fixture
def predictions(tmp_path):
    """What a `faithful` generator of random weights makes of three batches of images, the last a half."""
    method = TypeAdapter(Method).validate_python(transfer_method(faithful=True))
    torch.manual_seed(0)
    network = build(method)
    weights, split, out = (tmp_path / name for name in ("model.safetensors", "unseen.parquet", "p.zarr"))
    save_file({name: tensor.clone() for name, tensor in network.state_dict().items()}, weights)
    puppet_pairs(range(5, 6), "test").to_parquet(split, index=False)
    puppet_store(tmp_path)
    store = seal("store", tmp_path / "images.zarr")
    stage.run(method, Compute(), store, {"unseen": seal("split", split)}, seal("train", weights), out)
    return load(manifest_path(out))


def test_true_predictions_of_images_hold(predictions):
    assert differs_from_network(predictions) == []
