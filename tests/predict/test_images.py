"""Predictions of images: what is written, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from puppets import SIZE, flow_method, puppet_pairs, puppet_store, transfer_method
from pydantic import TypeAdapter

from repose.config.methods import Method
from repose.errors import ReposeError
from repose.models import build
from repose.predict.images import predict_images


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return puppet_store(tmp_path_factory.mktemp("puppets"))


def network(settings):
    torch.manual_seed(0)
    return build(TypeAdapter(Method).validate_python(settings)).eval()


def predicted(store, out, settings, pairs):
    predict_images(network(settings), store, {"unseen": pairs}, "cpu", out, "test")
    return zarr.open_group(out / "unseen", mode="r")


def arrays(group):
    return {name: (array.shape, array.dtype) for name, array in group.arrays()}


PAIRS = puppet_pairs(range(5, 6), "test").head(10)


def test_a_transfer_holds_image_flow_visibility_and_share(store, tmp_path):
    settings = transfer_method({"generator": "other"}, pixel_warp=True)
    group = predicted(store, tmp_path / "p.zarr", settings, PAIRS)
    assert group.attrs["pairs"] == PAIRS[["source_image", "target_image"]].to_numpy().tolist()
    assert arrays(group) == {
        "image": ((10, *SIZE, 3), np.uint8),
        "flow": ((10, *SIZE, 2), np.float16),
        "visibility": ((10, *SIZE), np.uint8),
        "share": ((10, *SIZE), np.uint8),
    }


def test_a_flow_net_draws_no_image(store, tmp_path):
    group = predicted(store, tmp_path / "p.zarr", flow_method(), PAIRS)
    assert set(arrays(group)) == {"flow", "visibility"}
    # A wrong background does not make the flow of the body wrong, too.
    assert np.asarray(group["flow"])[np.asarray(group["visibility"]) == 2].any()


@pytest.mark.parametrize("image", ["source", "target"])
def test_floor_and_ceiling_are_the_images_themselves(store, tmp_path, image):
    settings = {"architecture": "copy-image", "image": image}
    group = predicted(store, tmp_path / "p.zarr", settings, PAIRS)
    rows = [store.index_of(name) for name in PAIRS[f"{image}_image"]]
    assert np.array_equal(np.asarray(group["image"]), store.images(rows))
    assert ("flow" in group) == (image == "source")


def test_a_pair_given_twice_and_what_is_no_number_are_refused(store, tmp_path):
    with pytest.raises(ReposeError, match="twice"):
        predicted(store, tmp_path / "p.zarr", flow_method(), pd.concat([PAIRS, PAIRS.head(1)]))
    broken = network(transfer_method(warped_levels=0, flow_network=None, training={"flow": None}))
    torch.nn.init.constant_(broken.generator.head[1].bias, float("nan"))
    with pytest.raises(ReposeError, match="its image is no number"):
        predict_images(broken, store, {"unseen": PAIRS}, "cpu", tmp_path / "q.zarr", "test")
