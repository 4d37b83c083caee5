"""Up axis and unit of user meshes: the stated rules, and that frames go there and back."""

import numpy as np
import pytest

from repose.errors import MeshError
from repose.mesh.frame import UNITS, UPRIGHT, find_frame, find_up

# Sides of bounding boxes in metres, y up: width, height, depth.
BODIES = {
    "standing": (0.6, 1.75, 0.35),
    "arms out": (1.8, 1.75, 0.3),
    "striding": (0.7, 1.65, 1.1),
    "child": (0.4, 1.05, 0.3),
}


def corners(sides, lowest=None):
    """The 8 corners of a box, about the origin or with its lowest point at y = `lowest`."""
    box = np.array(np.meshgrid(*[(-s / 2, s / 2) for s in sides], indexing="ij"), float).reshape(3, -1).T
    return box if lowest is None else box - [0, box[:, 1].min() - lowest, 0]


def in_frame(upright, up, unit):
    """What a file of that frame holds, for a y-up body in metres."""
    return upright @ np.array(UPRIGHT[up], float) / UNITS[unit]


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("unit", ["m", "cm", "mm"])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("lowest", [None, 0.0])
def test_upright_bodies_are_found(up, unit, body, lowest):
    upright = corners(BODIES[body], lowest)
    frame = find_frame(in_frame(upright, up, unit))
    assert (frame.up.value, frame.unit.value) == (up, unit)
    assert frame.up.trust == ("a guess" if lowest is None else "sure")
    assert frame.unit.trust == "sure"
    assert np.allclose(frame.upright(in_frame(upright, up, unit)), upright)


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("sides", [(1.75, 0.25, 0.6), (0.6, 0.25, 1.75)])
def test_a_body_that_lies_on_the_ground_is_found_but_not_called_sure(up, sides):
    found = find_frame(in_frame(corners(sides, 0.0), up, "m")).up
    assert (found.value, found.trust) == (up, "likely")


def test_a_floating_lying_body_is_a_guess_or_says_what_it_may_be():
    assert find_frame(corners((1.75, 0.25, 0.6))).up.trust == "a guess"
    along_z = find_frame(corners((0.6, 0.25, 1.75))).up
    assert along_z.value == "z" and "one that lies would look the same" in along_z.why


def test_sides_that_say_nothing_give_y_as_a_guess():
    assert find_up(np.array([0.5, 1.0, 1.1]), np.array([-0.2, -0.5, -0.5])).trust == "a guess"
    both = find_up(np.array([0.5, 1.0, 1.1]), np.zeros(3))
    assert (both.value, both.trust) == ("y", "a guess")


@pytest.mark.parametrize("up", UPRIGHT)
@pytest.mark.parametrize("unit", [*UNITS, "0.5"])
def test_every_frame_goes_there_and_back_without_mirroring(up, unit):
    assert np.linalg.det(np.array(UPRIGHT[up], float)) == 1
    vertices = np.random.default_rng(0).normal(size=(20, 3))
    frame = find_frame(vertices, up, unit)
    assert (frame.up.trust, frame.unit.trust) == ("given", "given")
    assert np.allclose(frame.restored(frame.upright(vertices)), vertices)
    axis = np.zeros(3)
    axis["xyz".index(up[-1])] = -1 if up[0] == "-" else 1
    assert np.allclose(frame.upright(axis[None]), [[0, UNITS.get(unit, 0.5), 0]])


@pytest.mark.parametrize("longest", [1e-3, 0.2, 7.0, 12.5, 5e3])
def test_a_size_that_no_unit_explains_is_an_error_with_a_way_out(longest):
    with pytest.raises(MeshError, match=r"b.obj: its longest side .* makes no body .*--unit"):
        find_frame(corners((0.3 * longest, longest, 0.2 * longest)), where="b.obj")
    assert find_frame(corners((1, longest, 1)), unit=str(1.7 / longest)).metres == pytest.approx(
        1.7 / longest
    )


def test_wrong_answers_and_points_are_refused():
    with pytest.raises(MeshError, match="up axis 'w' is none of"):
        find_frame(corners((1, 1, 1)), up="w")
    for unit in ("parsec", "-1", "0", "nan"):
        with pytest.raises(MeshError, match="is none of m, cm"):
            find_frame(corners((1, 1, 1)), unit=unit)
    with pytest.raises(MeshError, match="at one place"):
        find_frame(np.ones((5, 3)))
