"""The metrics of version 1 are frozen: golden values, and a second implementation in plain Python."""

import numpy as np
import pytest
from benchmark import plain
from benchmark.golden import TRIPLES

from repose.benchmark.metrics import Pair, rigid_distances
from repose.benchmark.parts import part_labels
from repose.metrics.benchmark import DIAGNOSTICS, METRICS, WITHOUT_ORDER
from repose.metrics.metric import measured

# As both implementations gave them when version 1 was made. Whoever has to change one makes version 2.
GOLDEN = {
    "tetrahedron": {
        "mpve_mm": 1320.1114803004318,
        "pmd_m2": 0.8229166666666666,
        "mpve_rigid_mm": 108.9945355756117,
        "p95_mm": 1995.9526664741427,
        "edge_error_truth": 0.052527205435771496,
        "edge_error_identity": 0.5891744074475109,
        "normal_deg": 68.17137729891367,
        "volume_ratio": 1.1666666666666667,
        "new_self_intersections": 0.0,
        "fail_share": 0.0,
        "cd_m2": 2.9375,
    },
    "two tetrahedra": {
        "mpve_mm": 939.7545606606204,
        "pmd_m2": 0.2945963541666667,
        "mpve_rigid_mm": 908.0774148609624,
        "p95_mm": 958.1359130203243,
        "edge_error_truth": 0.0,
        "edge_error_identity": 0.0,
        "normal_deg": 0.0,
        "volume_ratio": 1.0,
        "new_self_intersections": 0.5,
        "fail_share": 0.0,
        "cd_m2": 1.060546875,
    },
    "sheet": {
        "mpve_mm": 667.6211418323232,
        "pmd_m2": 0.6111111111111112,
        "mpve_rigid_mm": 740.928740429402,
        "p95_mm": 2447.803783261042,
        "edge_error_truth": 0.22972485905923035,
        "edge_error_identity": 0.36630312769773454,
        "normal_deg": 69.0153752065524,
        "new_self_intersections": 0.0,
        "fail_share": 0.0,
        "cd_m2": 1.2083333333333335,
    },
}


def ours(faces, identity, truth, out, failed=False):
    arrays = (np.array(mesh, float) for mesh in (out, truth, identity))
    pair = Pair(*arrays, np.array(faces, np.int32), failed)
    return {k: float(v) for k, v in (measured(METRICS, pair) | measured(WITHOUT_ORDER, pair)).items()}


@pytest.mark.parametrize("name", TRIPLES)
def test_every_metric_of_version_1_has_its_golden_value(name):
    assert ours(*TRIPLES[name]) == pytest.approx(GOLDEN[name], abs=1e-9)


def test_every_metric_has_golden_values_and_no_other_has():
    assert set().union(*GOLDEN.values()) == {metric.name for metric in (*METRICS, *WITHOUT_ORDER)}


@pytest.mark.parametrize("name", TRIPLES)
def test_a_second_implementation_agrees(name):
    faces, identity, truth, out = TRIPLES[name]
    assert ours(*TRIPLES[name]) == pytest.approx(plain.metrics(out, truth, identity, faces), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_second_implementation_agrees_on_random_bodies(seed):
    from scipy.spatial import ConvexHull

    draw = np.random.default_rng(seed)
    truth = draw.normal(size=(12, 3))
    faces = ConvexHull(truth / np.linalg.norm(truth, axis=1, keepdims=True)).simplices
    identity, out = (truth + draw.normal(0, 0.4, truth.shape) for _ in range(2))
    found = ours(faces, identity, truth, out, failed=bool(seed % 2))
    again = plain.metrics(out.tolist(), truth.tolist(), identity.tolist(), faces.tolist(), bool(seed % 2))
    assert found == pytest.approx(again, abs=1e-6) and found["fail_share"] == seed % 2


def test_the_truth_is_right_wherever_it_lies():
    faces, identity, truth, _ = TRIPLES["two tetrahedra"]
    moved = np.array(truth) + np.array([3, -2, 5])
    found = ours(faces, identity, truth, moved)
    perfect = {"volume_ratio": 1, "edge_error_identity": found["edge_error_identity"]}
    assert found == pytest.approx(dict.fromkeys(found, 0) | perfect, abs=1e-9)


def test_a_turn_is_forgiven_by_the_rigid_distance_alone_and_a_mirror_by_none():
    faces, identity, truth, _ = TRIPLES["tetrahedron"]
    turned, mirrored = np.array(truth) @ [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.array(truth) * [1, 1, -1]
    assert ours(faces, identity, truth, turned)["mpve_rigid_mm"] == pytest.approx(0, abs=1e-9)
    assert ours(faces, identity, truth, turned)["mpve_mm"] > 500
    assert ours(faces, identity, truth, mirrored)["mpve_rigid_mm"] > 50
    assert ours(faces, identity, truth, mirrored)["volume_ratio"] == pytest.approx(-1)


def test_one_stray_vertex_counts_by_its_area():
    """Metrics about the box are thrown off by a spike; the primary one is not: its area is next to none."""
    from repose.mesh.metrics import mpve_mm

    faces, identity, truth, _ = TRIPLES["sheet"]
    spike = [*truth[:2], (9, 0, 0), *truth[3:]]
    pair = Pair(*(np.array(m, float) for m in (spike, truth, identity)), np.array(faces, np.int32))
    about_box = float(mpve_mm(pair.predicted, pair.truth))
    assert ours(faces, identity, truth, spike)["mpve_mm"] < about_box


def test_weights_decide_what_the_rotation_fits():
    truth = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    out = truth @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])
    out[3] += [0, 0, 1]
    off = rigid_distances(out, truth, np.array([1, 1, 1, 1e-9]))
    assert off[:3] == pytest.approx(0, abs=1e-6) and off[3] == pytest.approx(1, abs=1e-6)


# Two squares with a hinge between them, of which the second is a part of its own.
HINGE = np.array([[0, 1], [0, 0], [1, 0], [1, 1], [-1, 0], [-1, 1]]) @ [[1.0, 0, 0], [0, 1, 0]]
HINGED = np.array([[0, 1, 2], [0, 2, 3], [0, 4, 1], [0, 5, 4]])
SECOND = np.array([0, 1, 0, 0, 1, 1])  # of three corners, two say what a face belongs to


def shares(out, parts=SECOND, true=HINGE, faces=HINGED):
    found = measured(DIAGNOSTICS, Pair(out, true, true, faces, parts=parts))
    return found.get("pose_share"), found.get("shape_share")


def folded(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    out = HINGE.copy()
    out[4:, [0, 2]] = HINGE[4:, :1] * [c, s]
    return out


def test_a_part_that_is_turned_as_a_whole_is_all_pose():
    turned = folded(70) + np.array([3, -2, 5])
    assert shares(turned) == pytest.approx((1, 0), abs=1e-9)
    assert shares(folded(70), parts=np.zeros(6, int))[0] < 0.7, "one part has no joint"


def test_another_size_or_thickness_in_the_right_pose_is_all_shape():
    assert shares(1.1 * HINGE) == pytest.approx((0, 1), abs=1e-9)
    assert shares(HINGE * [1.1, 0.8, 1]) == pytest.approx((0, 1), abs=1e-9)


def test_a_wrong_pose_of_another_size_is_both():
    weights = np.array([4, 2, 2, 1, 2, 1]) / 12  # corners of faces of one area
    flat, right = (mesh - weights @ mesh for mesh in (HINGE, folded(70)))
    rest, error = (weights @ ((1.1 * right - mesh) ** 2).sum(axis=1) for mesh in (right, flat))
    assert shares(1.1 * folded(70)) == pytest.approx((1 - rest / error, rest / error), abs=1e-9)
    assert rest / error == pytest.approx(0.0247435, abs=1e-6)


def test_where_parts_are_not_known_or_nothing_is_wrong_there_are_no_shares():
    assert shares(folded(70), parts=None) == (None, None)
    assert np.isnan(shares(HINGE)).all()


def test_parts_are_the_bones_that_move_a_vertex_most(tmp_path):
    bones, weights = np.array([[3, 5], [5, 3], [4, 3]]), np.float32([[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]])
    np.savez(tmp_path / "raw.npz", skin_bones=bones, skin_weights=weights, poses=np.zeros(3))
    assert part_labels(tmp_path / "raw.npz").tolist() == [5, 5, 4]
    np.savez(tmp_path / "other.npz", poses=np.zeros(3))
    assert part_labels(tmp_path / "other.npz") is None
