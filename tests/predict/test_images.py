"""Predictions of images: what is written, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from PIL import Image
from puppets import SIZE, flow_method, puppet_pairs, puppet_store, transfer_method
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.errors import ReposeError
from repose.methods.build import build
from repose.predict.images import predict
from repose.predict.read_images import generated_images
from repose.score.images import score
from repose.use.export_images import export_generated


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return puppet_store(tmp_path_factory.mktemp("puppets"))


def method_and_network(settings):
    torch.manual_seed(0)
    method = TypeAdapter(Method).validate_python(settings)
    return method, build(method).eval()


def predicted(store, out, settings, pairs):
    predict(*method_and_network(settings), store.path, {"unseen": pairs}, "cpu", out, "test")
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


def test_drawn_images_are_exported_under_the_names_that_the_released_evaluation_reads(store, tmp_path):
    group = predicted(store, tmp_path / "p.zarr", {"architecture": "copy-image", "image": "target"}, PAIRS)
    export_generated(tmp_path / "p.zarr", tmp_path / "drawn")
    names = [f"{row.source_image}_{row.target_image}.jpg" for row in PAIRS.itertuples()]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == sorted(names)
    back = np.stack([np.asarray(Image.open(tmp_path / "drawn" / name)) for name in names]).astype(float)
    assert np.abs(back - np.asarray(group["image"])).mean() < 8  # what JPEG loses
    with pytest.raises(ReposeError, match="is there already"):
        export_generated(tmp_path / "p.zarr", tmp_path / "drawn")
    with pytest.raises(ReposeError, match="no predictions"):
        export_generated(tmp_path / "q.zarr", tmp_path / "other")
    predicted(store, tmp_path / "flow.zarr", flow_method(), PAIRS)
    with pytest.raises(ReposeError, match="draws no images"):
        export_generated(tmp_path / "flow.zarr", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_pair_given_twice_and_what_is_no_number_are_refused(store, tmp_path):
    with pytest.raises(ReposeError, match="twice"):
        predicted(store, tmp_path / "p.zarr", flow_method(), pd.concat([PAIRS, PAIRS.head(1)]))
    settings = transfer_method(warped_levels=0, flow_network=None, training={"flow": None})
    method, broken = method_and_network(settings)
    torch.nn.init.constant_(broken.generator.head[1].bias, float("nan"))
    with pytest.raises(ReposeError, match="its image is no number"):
        predict(method, broken, store.path, {"unseen": PAIRS}, "cpu", tmp_path / "q.zarr", "test")


def test_predictions_that_do_not_fit_the_pairs_are_refused(store, tmp_path):
    predicted(store, tmp_path / "p.zarr", {"architecture": "copy-image", "image": "target"}, PAIRS)
    pairs = PAIRS[["source_image", "target_image"]].to_numpy().tolist()
    found = generated_images(tmp_path / "p.zarr", "unseen", pairs, store.size)
    assert found.keys() == {"image"} and found["image"].shape == (10, *SIZE, 3)
    with pytest.raises(ReposeError, match="other unseen pairs"):
        generated_images(tmp_path / "p.zarr", "unseen", pairs[::-1])
    with pytest.raises(ReposeError, match=r"image of shape \(10, .*\) for 10 pairs, of 9 × 9 pixels"):
        generated_images(tmp_path / "p.zarr", "unseen", pairs, (9, 9))


@pytest.mark.parametrize("grid", [False, True])
def test_a_forged_shape_asks_for_no_memory(store, tmp_path, grid):
    """Of 70 GB, with chunks as they were, or of one chunk."""
    predicted(store, tmp_path / "p.zarr", {"architecture": "copy-image", "image": "target"}, PAIRS)
    file = tmp_path / "p.zarr" / "unseen" / "image" / "zarr.json"
    meta = json.loads(file.read_text())
    meta["shape"] = [10, 49_000, 49_000, 3]
    if grid:
        meta["chunk_grid"]["configuration"]["chunk_shape"] = [8, 49_000, 49_000, 3]
    file.write_text(json.dumps(meta))
    with pytest.raises(ReposeError, match="not an array as repose stores it|of shape"):
        score(tmp_path / "p.zarr", store.path, {"unseen": PAIRS})
    with pytest.raises(ReposeError, match="not an array as repose stores it"):
        export_generated(tmp_path / "p.zarr", tmp_path / "drawn")
    assert not (tmp_path / "drawn").exists()
