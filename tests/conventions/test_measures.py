"""What conventions measure: by hand on meshes where that is easy, and alike where they must be."""

import numpy as np
import pytest
import torch
from released import body, faces_of
from scipy.spatial.transform import Rotation

from repose.conventions.known import CONVENTIONS
from repose.conventions.measures import Compared, emd_mm
from repose.conventions.sensitivity import CHANGES, COPIES, UNIT, sensitivity
from repose.mesh.metrics import chamfer, edge_error, mpve_mm
from repose.mesh.operators import unique_edges
from repose.metrics.conventions import METRICS
from repose.metrics.metric import measured

FACES = faces_of(122)
TRUTH = torch.from_numpy(np.stack([body(0, 3, 122), body(1, 2, 122)])).double() + torch.tensor(
    [0.0, 1.0, 0.0]
)
IDENTITY = torch.from_numpy(np.stack([body(0, 0, 122), body(1, 0, 122)])).double()
NOISE = torch.from_numpy(np.random.default_rng(0).normal(0, 0.01, (2, 122, 3)))


def of(predicted, truth=TRUTH):
    return {
        name: v.numpy() for name, v in measured(METRICS, Compared(predicted, truth, IDENTITY, FACES)).items()
    }


def test_every_convention_has_a_measure_and_a_name_of_its_own():
    assert len({c.code for c in CONVENTIONS}) == len(CONVENTIONS) == len({c.title for c in CONVENTIONS})
    assert {c.measure for c in CONVENTIONS} == {metric.name for metric in METRICS}


def test_places_count_as_each_convention_says():
    moved = of(TRUTH + torch.tensor([0.3, 0.0, 0.0]))
    assert moved["as_stored_m2"] == pytest.approx([0.03, 0.03])
    blind = {name for name, values in moved.items() if (values < 1e-9).all()}
    assert blind == set(moved) - {"as_stored_m2", "truth_box_m2", "edges_identity"}
    turned = Rotation.from_euler("xyz", [0.1, 0.7, -0.3]).apply(TRUTH.reshape(-1, 3)).reshape(2, 122, 3)
    found = of(torch.from_numpy(turned))
    assert (found["rigid_m2"] < 1e-20).all() and (found["means_m2"] > 1e-3).all()
    mirrored = of(TRUTH * torch.tensor([-1.0, 1.0, 1.0]))
    assert (mirrored["rigid_m2"] > 1e-4).all(), "a reflection is no rotation"


def test_the_identities_that_hold_for_any_prediction():
    """Best translations are best, a mean is no more than the root of a mean of squares, and so on."""
    found = of(TRUTH + NOISE + 0.05)
    assert (found["own_box_m2"] >= found["means_m2"]).all() and (found["means_m2"] >= found["rigid_m2"]).all()
    assert (found["unsquared_mm"] <= np.sqrt(3 * found["own_box_m2"]) * 1000).all()
    assert (found["cd_m2"] <= 6 * found["own_box_m2"]).all() and (
        found["p95_mm"] > found["unsquared_mm"]
    ).all()
    heights = (TRUTH[..., 1].amax(-1) - TRUTH[..., 1].amin(-1)).numpy()
    assert found["by_height"] == pytest.approx(found["own_box_m2"] / heights**2)
    assert found["cd_m2"] == pytest.approx(chamfer(TRUTH + NOISE, TRUTH).numpy())
    edges = torch.from_numpy(unique_edges(FACES)).long()
    assert found["edges_truth"] == pytest.approx(edge_error(TRUTH + NOISE, TRUTH, edges).numpy())


def test_the_exact_distance_of_sets_is_that_of_the_best_order():
    order = np.random.default_rng(0).permutation(122)
    assert (of(TRUTH[:, order])["emd_mm"] < 1e-9).all(), "whatever the order"
    found = of(TRUTH + NOISE)
    assert (found["emd_mm"] > 0).all() and (found["emd_mm"] <= found["unsquared_mm"] + 1e-9).all()
    large = torch.from_numpy(np.stack([body(0, 3), body(0, 2)])).double()
    assert emd_mm(large[:1], large[1:]) == pytest.approx(mpve_mm(large[:1], large[1:]), rel=0.05), (
        "of 250 of 6890"
    )


def test_size_and_density_count_where_they_should():
    larger = of(TRUTH * 1.1)
    assert (larger["unit_sphere"] < 1e-12).all() and (larger["own_box_m2"] > 1e-4).all()
    out = TRUTH.clone()
    out[:, 0, 0] += 0.05  # a pole, whose faces are small; the box stays
    found = of(out)
    assert (found["by_area_m2"] < found["own_box_m2"]).all()
    assert found["own_box_m2"] == pytest.approx([0.05**2 / 366] * 2, rel=1e-6)


def test_what_conventions_see_of_known_errors():
    truth, identity = TRUTH.numpy(), IDENTITY.numpy()
    pose = np.stack([body(2, 3, 122), body(3, 2, 122)]).astype(float)
    seen = sensitivity(truth, identity, pose, FACES).pivot(
        index="change", columns="convention", values="times"
    )
    assert set(seen.index) == {*CHANGES, *COPIES} and (seen.loc[UNIT] == 1).all()
    assert seen["C11"]["vertices in another order"] == 0 < seen["C0"]["vertices in another order"]
    assert seen["C0"]["one vertex 20 cm out"] > 5 > seen["C3"]["one vertex 20 cm out"]
    assert seen["C9"]["5 % larger"] == 0 and seen["C15"]["mirrored"] == 0
    assert seen["C14"]["the identity mesh as it is"] == 0 < seen["C14"]["none: the truth itself"]
    assert (seen.loc["moved by 1 cm", ["C0", "C3", "C4"]] == 0).all() and seen["C2"]["moved by 1 cm"] > 0
    assert (seen.loc["a limb turned by 10°", ["C0", "C4", "C10"]] > 0).all()
