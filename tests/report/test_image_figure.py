"""The figure of a table of images."""

import io

import numpy as np
from PIL import Image
from puppets import puppet_pairs, puppet_store, transfer_method
from pydantic import TypeAdapter

from repose.config.models import Method
from repose.methods.build import build
from repose.predict.images import predict
from repose.report.images import LEAST_WIDTH, draw, flow_colours, pose_picture
from repose.report.shown import Shown


def test_direction_is_the_hue_and_the_background_white():
    flow = np.array([[[9.0, 0], [-9, 0], [9, 0], [5, 5]]])
    colours = flow_colours(flow, np.array([[0, 0, 1, 2]]))
    assert colours[0, 0].tolist() == [255, 0, 0] and colours[0, 1].tolist() == [0, 255, 255]
    assert colours[0, 2].tolist() == [153, 0, 0] and colours[0, 3].tolist() == [255, 255, 255]


def test_only_limbs_between_seen_joints_are_drawn():
    joints = np.zeros((18, 3), np.float32)
    joints[1], joints[2] = (4, 4, 1), (20, 4, 1)
    picture = pose_picture(joints, (32, 24))
    assert picture[4, 12].min() < 200 and (picture[10:] == 255).all()
    joints[2, 2] = 0
    assert (pose_picture(joints, (32, 24)) == 255).all()


def test_a_row_per_pair_with_the_flow_that_methods_share_drawn_once(tmp_path):
    store, pairs = puppet_store(tmp_path), puppet_pairs(range(1), "test")
    shown = []
    baseline, full = (
        TypeAdapter(Method).validate_python(settings)
        for settings in ({"architecture": "copy-image", "image": "source"}, transfer_method())
    )
    network = build(full).eval()
    for name, method, made in (
        ("copy-source", baseline, build(baseline)), ("flow-full", full, network), ("flow-too", full, network),
    ):  # fmt: skip
        predict(method, made, store.path, {"unseen": pairs}, "cpu", tmp_path / name, "test")
        shown.append(Shown("puppets", name, tmp_path / name / "unseen", store))
    sheet = Image.open(io.BytesIO(draw(shown, 2)))
    height = LEAST_WIDTH * 32 // 24
    # Source, pose, true flow, flow, warp, two images and the truth; the copy is the source once more.
    assert 2 * height < sheet.height < 3 * height and 8 * LEAST_WIDTH < sheet.width < 9.5 * LEAST_WIDTH
