"""The released convention is what the published code computes: against its formulas, written down plainly."""

import numpy as np
import pytest
from gih.meshes import grid, join, moebius, sphere, torus
from gih.plain import published_distances

from repose.errors import MeshError, ReposeError
from repose.gih.compute import distances
from repose.gih.convention import Settings
from repose.gih.solver import all_pairs

RELEASED = Settings(convention="released")


def needles():
    v, f = sphere(2, noise=0.01)
    return v * [1.0, 1.0, 8.0], f


MESHES = {
    "sphere": sphere(2, noise=0.01),
    "torus": torus(),
    "needles, which a Delaunay triangulation would flip": needles(),
    "faces of 16 mm², which 1e-6 makes 3 % larger": sphere(2, radius=0.02, noise=0.01),
    "faces of 0.01 mm², which 1e-6 makes fifty times larger": sphere(2, radius=0.0005, noise=0.01),
    "an open sheet of negative heat": grid(8, 8, shear=2.5),
    "a strip so long that 1e-12 outweighs the gradient": grid(2, 30),
}


@pytest.mark.parametrize("mesh", MESHES.values(), ids=MESHES)
@pytest.mark.parametrize("t", [0.1, 0.02])
def test_equals_the_published_formulas(mesh, t):
    expected = np.maximum(published_distances(*mesh, t), 0)
    found = all_pairs(*mesh, Settings(convention="released", t=t))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * expected.max())


def test_the_time_is_a_tenth_unless_given():
    assert np.array_equal(all_pairs(*torus(), RELEASED), all_pairs(*torus(), Settings("released", 0.1)))


def test_is_twice_the_distance_where_faces_are_large_and_no_edge_flips():
    released, metres = all_pairs(*sphere(3), RELEASED), all_pairs(*sphere(3), Settings(t=0.1))
    np.testing.assert_allclose(released, 2 * metres, rtol=1e-3)


def test_components_are_infinitely_far_apart():
    matrix = all_pairs(*join(sphere(1), torus()), RELEASED)
    assert np.isinf(matrix[0, 42:]).all()
    np.testing.assert_allclose(matrix[42:, 42:], all_pairs(*torus(), RELEASED), rtol=1e-6, atol=1e-6)


def wound_differently():
    v, f = torus()
    f[3] = f[3][::-1]
    return v, f


def flat():
    v = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [1, 1, 0]], float)
    return v, np.array([[0, 1, 3], [1, 2, 3], [0, 2, 1]], np.int32)


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (wound_differently(), "not wound consistently.*use metres"),
        (moebius(), "cannot be oriented.*use metres"),
        (flat(), "face 2 has no area.*use metres"),
    ],
    ids=["winding", "moebius", "no area"],
)
def test_what_the_published_code_makes_no_distances_of_is_one_line(mesh, message):
    with pytest.raises(MeshError, match=message) as caught:
        distances(*mesh, RELEASED, where="body.obj")
    assert str(caught.value).startswith("body.obj")
    assert "\n" not in str(caught.value)


def test_potpourri3d_is_no_substitute():
    with pytest.raises(ReposeError, match="does not compute as the published code does"):
        distances(*sphere(1), RELEASED, backend="potpourri3d")
