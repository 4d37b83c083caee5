"""The image store: rows come back as they were, and flow is exact."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import ReposeError
from repose.images.correspondence import BARYCENTRIC_UNIT, Camera, View, correspond
from repose.images.picture import Geometry, Picture
from repose.raw.corr import Correspondence, read_corr, write_corr
from repose.store.image_store import ImageStore
from repose.store.images import pack_images
from repose.synthetic.rendered.cast import Scene, sample_rays

SQUARE = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])


def moved(*shift: float) -> np.ndarray:
    """The square somewhere else."""
    return SQUARE + np.array(shift)


def picture(rng, height=12, width=8, geometry=False) -> Picture:
    behind = None
    if geometry:
        behind = Geometry(
            rng.integers(-1, 5, (height, width), dtype=np.int32),
            rng.integers(0, BARYCENTRIC_UNIT // 2, (height, width, 2), dtype=np.uint16),
            rng.random((height, width), dtype=np.float32),
            rng.random((9, 3), dtype=np.float32),
            rng.random(3),
        )
    return Picture(
        rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        rng.random((18, 3), dtype=np.float32),
        rng.integers(0, 7, (height, width), dtype=np.uint8),
        behind,
    )


def packed(folder, pictures, triangles=None, pairs=None, **columns) -> ImageStore:
    for name, one in pictures.items():
        png, labels = one.encode()
        (folder / f"{name}.png").write_bytes(png)
        (folder / f"{name}.npz").write_bytes(labels)
    rows = pd.DataFrame(
        {"image_id": list(pictures), "sha256": [p.digest for p in pictures.values()], **columns}
    )
    pack_images(rows, folder, triangles, pairs or {}, folder / "images.zarr")
    return ImageStore(folder / "images.zarr")


def seen(vertices, camera=None, size=(40, 32), triangles=TRIANGLES) -> View:
    """What an image of a mesh shows; the mesh is in the camera frame."""
    camera = camera or Camera(30.0, (size[1] - 1) / 2, (size[0] - 1) / 2)
    rays = sample_rays(camera, np.argwhere(np.ones(size)), 1)
    hits = Scene(vertices, triangles, np.ones(len(triangles), bool)).from_eye(rays)
    face, depth = np.full(size, -1, np.int32), np.full(size, np.inf, np.float32)
    barycentric = np.zeros((*size, 2))
    face.flat[hits.ray], depth.flat[hits.ray] = hits.face, hits.depth
    barycentric.reshape(-1, 2)[hits.ray] = np.stack([hits.second, hits.third], axis=1)
    return View(face, barycentric, depth, np.asarray(vertices, np.float32), camera)


@pytest.mark.parametrize("geometry", [False, True])
def test_rows_come_back_in_the_order_asked_for(tmp_path, geometry):
    rng = np.random.default_rng(0)
    pictures = {f"id{k}_0": picture(rng, geometry=geometry) for k in range(5)}
    store = packed(tmp_path, pictures, TRIANGLES.astype(np.int32))
    assert (len(store), store.size, store.is_rendered) == (5, (12, 8), geometry)
    order = [store.index_of(name) for name in ("id3_0", "id0_0", "id3_0")]
    assert order == [3, 0, 3]
    for got, name in (
        (store.images(order), "image"),
        (store.joints(order), "joints"),
        (store.segmentation(order), "segmentation"),
    ):
        want = [getattr(pictures[f"id{k}_0"], name) for k in order]
        np.testing.assert_array_equal(got, want)
    with pytest.raises(ReposeError, match="no image 'id9_0'"):
        store.index_of("id9_0")


def test_known_attributes_of_the_catalogue_are_in_the_store(tmp_path):
    rng = np.random.default_rng(0)
    pictures = {"a": picture(rng), "b": picture(rng)}
    (tmp_path / "known").mkdir()
    store = packed(tmp_path / "known", pictures, upper=["top", "dress"], camera=[0, 1])
    assert store.labels([1, 0, 1]) == {"upper": ["dress", "top", "dress"]}
    with pytest.raises(ReposeError, match="clothes in these images are not known"):
        packed(tmp_path, pictures).labels([0])


def test_labels_of_fewer_images_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    packed(tmp_path, {"a": picture(rng), "b": picture(rng)}, upper=["top", "dress"])
    meta = tmp_path / "images.zarr" / "zarr.json"
    meta.write_text(meta.read_text().replace('"dress"', "").replace('"top",', '"top"'))
    with pytest.raises(ReposeError, match="not an image store: 2 images, 1 names or labels"):
        ImageStore(tmp_path / "images.zarr")


def test_a_picture_that_is_not_the_catalogues_is_refused(tmp_path):
    rng = np.random.default_rng(1)
    one = picture(rng)
    other = replace(one, image=255 - one.image)
    packed(tmp_path, {"a": one})
    (tmp_path / "a.png").write_bytes(other.encode()[0])
    rows = pd.DataFrame({"image_id": ["a"], "sha256": [one.digest]})
    with pytest.raises(ReposeError, match="not the image the catalogue describes"):
        pack_images(rows, tmp_path, None, {}, tmp_path / "again.zarr")
    (tmp_path / "a.npz").write_bytes(b"PK nonsense")
    with pytest.raises(ReposeError, match="damaged"):
        Picture.read(tmp_path / "a.png")


def test_a_picture_of_more_than_its_bounds_or_of_other_parts_is_refused(tmp_path, monkeypatch):
    one = replace(picture(np.random.default_rng(1)), image=np.zeros((12, 8, 3), np.uint8))
    png, labels = one.encode()
    (tmp_path / "a.png").write_bytes(png)
    with pytest.raises(ReposeError, match="a.npz: missing"):
        Picture.read(tmp_path / "a.png")
    (tmp_path / "a.npz").write_bytes(labels)
    assert Picture.read(tmp_path / "a.png").digest == one.digest
    for name, says in (("MAX_PIXELS", "8 × 12 pixels"), ("MAX_LABELS", "its arrays have more than 95 bytes")):
        with monkeypatch.context() as patch:
            patch.setattr(f"repose.images.picture.{name}", 95)
            with pytest.raises(ReposeError, match=says):
                Picture.read(tmp_path / "a.png")
    for wrong in (
        {"joints": one.joints},
        {"joints": one.joints, "segmentation": one.segmentation, "face": one.joints},
    ):
        np.savez(tmp_path / "a.npz", **wrong)
        with pytest.raises(ReposeError, match="a.png: damaged"):
            Picture.read(tmp_path / "a.png")


def test_the_same_view_has_no_flow_and_all_of_it_is_visible():
    tilted = SQUARE @ np.array([[1, 0, 0.4], [0, 1, 0.2], [0, 0, 1]]) + [0, 0, 3]
    view = seen(tilted)
    flow, visibility = correspond(view, view, TRIANGLES)
    assert (visibility[view.face >= 0] == 0).all() and (visibility[view.face < 0] == 2).all()
    np.testing.assert_allclose(flow, 0, atol=1e-4)


@settings(max_examples=20)
@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_moving_a_plane_sideways_is_one_flow_for_all(dx, dy):
    target, source = seen(moved(0, 0, 3)), seen(moved(dx, dy, 3))
    flow, visibility = correspond(source, target, TRIANGLES)
    body = visibility < 2
    np.testing.assert_allclose(flow[body], np.broadcast_to([10 * dx, 10 * dy], flow[body].shape), atol=1e-4)
    assert (flow[~body] == 0).all()
    rows, columns = np.nonzero(body)
    inside = (np.abs(columns + 10 * dx - 15.5) <= 15.5) & (np.abs(rows + 10 * dy - 19.5) <= 19.5)
    assert (visibility[body] == 0)[
        inside
    ].mean() > 0.8  # all but the rim, where a sample meets the background
    assert (visibility[body][~inside] == 1).all()


def test_what_lies_behind_is_hidden_and_what_turned_away_too():
    near = np.concatenate([SQUARE * 0.4 + [0, 0, 2], moved(0, 0, 3)])
    apart = np.concatenate([SQUARE * 0.4 + [9, 0, 2], moved(0, 0, 3)])
    triangles = np.concatenate([TRIANGLES, TRIANGLES + 4])
    source, target = seen(near, triangles=triangles), seen(apart, triangles=triangles)
    _, visibility = correspond(source, target, triangles)
    assert (visibility[source.face > 1] == 0).mean() > 0.8
    assert (visibility[(source.face >= 0) & (source.face < 2) & (target.face >= 2)] == 1).all()
    turned = seen(SQUARE * [-1, 1, 1] + [0, 0, 3])
    _, visibility = correspond(turned, seen(moved(0, 0, 3)), TRIANGLES)
    assert set(np.unique(visibility)) == {1, 2}


def test_imported_correspondences_come_back_as_flow(tmp_path):
    rng = np.random.default_rng(2)
    visibility = rng.integers(0, 3, (12, 8), dtype=np.uint8)
    corr = Correspondence(rng.random((12, 8, 2), dtype=np.float32) * 8, visibility)
    write_corr(tmp_path / "b_a.corr", corr)
    pairs = {("a", "b"): read_corr(tmp_path / "b_a.corr")}
    store = packed(tmp_path, {"a": picture(rng), "b": picture(rng)}, pairs=pairs)
    flow, classes = store.flow(0, 1)
    np.testing.assert_array_equal(classes, visibility)
    rows, columns = np.nonzero(visibility < 2)
    there = flow[rows, columns] + np.stack([columns, rows], axis=1)
    np.testing.assert_allclose(there, corr.position[rows, columns], atol=1e-5)
    assert store.pairs == {("a", "b")}
    with pytest.raises(ReposeError, match=r"no correspondence of a to b.*\.corr"):
        store.flow(1, 0)
