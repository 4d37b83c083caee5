"""The image side: joints, pairs, flow and names, in the formats that were published."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import MeshError, ReposeError
from repose.raw import deepfashion
from repose.raw.anime import parse_anime
from repose.raw.corr import Correspondence, read_corr, write_corr
from repose.raw.keypoints import is_usable, read_annotations, read_labels, read_pair_split, read_pairs
from repose.raw.market_1501 import Market1501
from repose.raw.photo_set import Photo

JOINTS = [[float(10 + k), float(20 + 2 * k)] for k in range(18)]


def annotation_csv(path, rows):
    lines = [
        f"{name}:{json.dumps([y for _, y in xy])}:{json.dumps([x for x, _ in xy])}"
        for name, xy in rows.items()
    ]
    path.write_text("\n".join(["name:keypoints_y:keypoints_x", *lines]) + "\n")


def test_joints_are_the_same_from_both_publications(tmp_path):
    lost = [[-1, 5], *JOINTS[1:]]
    annotation_csv(tmp_path / "a.csv", {"x.jpg": JOINTS, "y.jpg": lost})
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": JOINTS, "y.jpg": lost}, 2))
    for joints in (read_annotations(tmp_path / "a.csv"), read_labels(tmp_path / "a.pkl")):
        assert sorted(joints) == ["x", "y"]
        assert joints["x"].tolist() == JOINTS
        assert joints["y"][0].tolist() == [-1, -1] and joints["y"][1:].tolist() == JOINTS[1:]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["name,y,x"], "a.csv:1: the first line is not"),
        (["name:keypoints_y:keypoints_x", "x.jpg:[1]:[2]"], "a.csv:2: not a photo with 18 joints"),
        (["name:keypoints_y:keypoints_x", "x.jpg:[1,2]:[2]"], "a.csv:2: not a photo"),
        (["name:keypoints_y:keypoints_x", "x.jpg:[1:2"], "a.csv:2: not a photo"),
        (["name:keypoints_y:keypoints_x", "x.jpg"], "a.csv:2: 1 columns instead of 3"),
        (["name:keypoints_y:keypoints_x", f"../x:{[1] * 18}:{[1] * 18}"], "a.csv:2: not a photo"),
        (["name:keypoints_y:keypoints_x", *[f"x:{[1] * 18}:{[1] * 18}"] * 2], "a.csv:3: .*there twice"),
    ],
)
def test_a_malformed_annotation_is_named_with_its_line(lines, says, tmp_path):
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(ReposeError, match=says):
        read_annotations(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "value", [[1], {"x": [1, 2]}, {3: JOINTS}, {"x": "text"}, {"x": JOINTS, "x.jpg": JOINTS}]
)
def test_malformed_labels_are_refused(value, tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(value, 2))
    with pytest.raises(ReposeError, match=r"a\.pkl"):
        read_labels(tmp_path / "a.pkl")


def test_pair_lists(tmp_path):
    (tmp_path / "pairs.csv").write_text("from,to\nx.jpg,y.jpg\ny.jpg,x.jpg\n")
    assert read_pairs(tmp_path / "pairs.csv") == [("x", "y"), ("y", "x")]
    (tmp_path / "pairs.csv").write_text("from,to\nx.jpg,../y.jpg\n")
    with pytest.raises(ReposeError, match=r"pairs\.csv:2"):
        read_pairs(tmp_path / "pairs.csv")
    (tmp_path / "split.json").write_text(
        json.dumps({"train": [["x", "y"]], "test": [], "test_small": [["y", "x"]]})
    )
    assert read_pair_split(tmp_path / "split.json") == {
        "train": [("x", "y")],
        "test": [],
        "test_small": [("y", "x")],
    }
    (tmp_path / "split.json").write_text('{"train": [["x"]]}')
    with pytest.raises(ReposeError, match="lists of pairs"):
        read_pair_split(tmp_path / "split.json")


def test_corr_files_survive_byte_for_byte(tmp_path):
    rng = np.random.default_rng(0)
    corr = Correspondence(
        rng.uniform(0, 64, (128, 64, 2)).astype(np.float32), rng.integers(0, 3, (128, 64)).astype("u1")
    )
    write_corr(tmp_path / "b_a.corr", corr)
    written = (tmp_path / "b_a.corr").read_bytes()
    assert len(written) == 73_736 and written[:8] == b"\x40\0\0\0\x80\0\0\0"
    back = read_corr(tmp_path / "b_a.corr")
    assert np.array_equal(back.position, corr.position) and np.array_equal(back.visibility, corr.visibility)
    write_corr(tmp_path / "again.corr", back)
    assert (tmp_path / "again.corr").read_bytes() == written


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda b: b[:-1], "do not hold 4 × 2 pixels"),
        (lambda b: b[:5], "do not hold"),
        (lambda b: b"\xff\xff\xff\xff" + b[4:], "do not hold"),
        (lambda b: b[:-1] + b"\x03", "class 3"),
        (lambda b: b[:8] + b"\0\0\xc0\x7f" + b[12:], "not finite"),
    ],
)
def test_a_damaged_corr_file_is_refused(edit, says, tmp_path):
    write_corr(tmp_path / "x.corr", Correspondence(np.ones((2, 4, 2)), np.zeros((2, 4))))
    (tmp_path / "x.corr").write_bytes(edit((tmp_path / "x.corr").read_bytes()))
    with pytest.raises(ReposeError, match=says):
        read_corr(tmp_path / "x.corr")


def test_in_shop_names_flatten_as_published():
    name = deepfashion.sample_id("img/WOMEN/Dresses/id_00000416/06_7_additional.jpg")
    assert name == "fasionWOMENDressesid0000041606_7additional"
    assert deepfashion.outfit(name) == "fasionWOMENDressesid0000041606"
    assert "TeesTanks" in deepfashion.sample_id("MEN/Tees_Tanks/id_00000001/01_1_front.jpg")
    with pytest.raises(ReposeError, match="not the path"):
        deepfashion.sample_id("img/WOMEN/Dresses/06_7_additional.jpg")


def test_in_shop_lists(tmp_path):
    photo = "img/WOMEN/Dresses/id_00000002/02_1_front.jpg"
    (tmp_path / "eval.txt").write_text(
        f"1\nimage_name item_id evaluation_status\n{photo}    id_00000002 train\n"
    )
    assert deepfashion.read_partition(tmp_path / "eval.txt") == {photo: "train"}
    for text, says in (
        ("2\nh\na b train\n", ":|count"),
        ("1\nh\na b what\n", ":3: unknown part"),
        ("1\nh\na b\n", ":3: 2"),
    ):
        (tmp_path / "eval.txt").write_text(text)
        with pytest.raises(ReposeError, match=says):
            deepfashion.read_partition(tmp_path / "eval.txt")


def test_a_photo_is_usable_with_shoulders_and_hips():
    joints = np.array(JOINTS, np.float32)
    assert is_usable(joints)
    joints[8] = -1
    assert not is_usable(joints)


def test_market_names():
    market = Market1501(source="market-1501")
    photo = market.photo("bounding_box_test/0002_c4s1_000451_03.jpg")
    assert photo == Photo("0002_c4s1_000451_03", identity=2, outfit="id2", camera=4)
    for name in ("-1_c1s1_000451_03.jpg", "0000_c6s4_000451_03.jpg"):
        assert market.photo(name) is None
    with pytest.raises(ReposeError, match="not the name"):
        market.photo("0002_c7s1_000451_03.jpg")


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6))
def test_a_damaged_anime_file_gives_frames_or_a_mesh_error(cut, edits):
    first, offsets = np.arange(12, dtype="<f4"), np.ones(24, "<f4")
    content = bytearray(np.array([3, 4, 2], "<i4").tobytes() + first.tobytes())
    content += np.array([0, 1, 2, 1, 2, 3], "<i4").tobytes() + offsets.tobytes()
    assert np.array_equal(parse_anime(bytes(content)).frame(2), first.reshape(4, 3) + 1)
    for place, byte in edits:
        content[place % len(content)] = byte
    try:
        animation = parse_anime(bytes(content[: cut % (2 * len(content))]))
    except MeshError:
        return
    for frame in range(1 + len(animation.offsets)):
        assert animation.frame(frame).shape == animation.first.shape
