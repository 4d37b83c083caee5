"""Pictures show the right side, in the right place, in the right colour."""

import numpy as np
import pytest
import trimesh

from repose.errors import MeshError
from repose.mesh.operators import vertex_normals
from repose.mesh.render import View, common_view, render

BALL = trimesh.creation.icosphere(subdivisions=2, radius=0.5)
VERTICES, FACES = np.asarray(BALL.vertices), np.asarray(BALL.faces)
FRONT = View(yaw=0, pitch=0, half_height=1.0, centre=(0, 0, 0))


def moved(x: float, y: float, z: float) -> np.ndarray:
    return VERTICES + np.array([x, y, z])


def drawn(picture: np.ndarray) -> tuple[float, float]:
    """Mean row and column of what is not background."""
    rows, columns = np.nonzero((picture < 250).any(axis=2))
    return float(rows.mean()), float(columns.mean())


def test_up_is_up_and_the_body_s_left_is_on_the_right():
    row, column = drawn(render(moved(0.4, 0, 0), FACES, (64, 64), FRONT))
    assert abs(row - 31.5) < 1 and column > 40
    row, column = drawn(render(moved(0, 0.4, 0), FACES, (64, 64), FRONT))
    assert row < 24 and abs(column - 31.5) < 1


def test_the_camera_goes_round_by_the_body_s_left():
    side = View(yaw=90, pitch=0, half_height=1.0, centre=(0, 0, 0))
    assert drawn(render(moved(0, 0, 0.4), FACES, (64, 64), side))[1] < 24
    above = View(yaw=0, pitch=90, half_height=1.0, centre=(0, 0, 0))
    assert drawn(render(moved(0, 0, 0.4), FACES, (64, 64), above))[0] > 40


def test_the_nearer_surface_is_seen_in_its_colour():
    colours = np.where(VERTICES[:, 2:] > 0, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    middle = render(VERTICES, FACES, (32, 32), FRONT, colours)[16, 16].astype(int)
    assert middle[2] > 100 and middle[0] == 0
    back = View(yaw=180, pitch=0, half_height=1.0, centre=(0, 0, 0))
    assert render(VERTICES, FACES, (32, 32), back, colours)[16, 16, 0] > 100


def test_a_picture_fits_its_mesh_is_white_around_it_and_the_same_each_time():
    picture = render(VERTICES, FACES, (48, 80))
    assert picture.shape == (48, 80, 3) and picture.dtype == np.uint8
    assert (picture[0] == 255).all() and (picture[:, 0] == 255).all()
    rows = np.nonzero((picture < 250).any(axis=(1, 2)))[0]
    assert len(rows) > 40
    assert np.array_equal(picture, render(VERTICES, FACES, (48, 80)))


def test_inside_out_surfaces_are_dark():
    outside = render(VERTICES, FACES, (32, 32), FRONT)[16, 16]
    assert (render(VERTICES, FACES[:, ::-1], (32, 32), FRONT)[16, 16] < outside // 2).all()


def test_a_mesh_out_of_the_picture_leaves_it_white():
    assert (render(moved(5, 0, 0), FACES, (16, 16), FRONT) == 255).all()


def test_common_view_keeps_one_scale():
    view = common_view([VERTICES, 2 * VERTICES], (64, 64), yaw=0)
    small, large = (render(k * VERTICES, FACES, (64, 64), view) for k in (1, 2))
    assert 3.6 < (large < 250).any(axis=2).sum() / (small < 250).any(axis=2).sum() < 4.4


def test_normals_point_outward():
    assert np.einsum("vk,vk->v", vertex_normals(VERTICES, FACES), VERTICES / 0.5).min() > 0.99


@pytest.mark.parametrize(
    ("vertices", "faces", "colours", "message"),
    [
        (VERTICES[:, :2], FACES, None, "vertices must be"),
        (np.where(VERTICES[3] == VERTICES, np.nan, VERTICES), FACES, None, "is not finite"),
        (VERTICES, FACES + 1, None, "but there are 162"),
        (VERTICES, FACES, VERTICES[:3], "do not fit 162 vertices"),
    ],
)
def test_bad_meshes_are_one_clear_line(vertices, faces, colours, message):
    with pytest.raises(MeshError, match=message):
        render(vertices, faces, (8, 8), colours=colours)
