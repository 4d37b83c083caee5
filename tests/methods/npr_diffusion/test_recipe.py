"""Training of the diffusion of poses: what it may see, that it learns, exact resume; and what is made of it."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter
from safetensors.torch import save, save_file

from repose.config.models import Method
from repose.data.meshes import centred
from repose.errors import ReposeError
from repose.mesh.formats.io import read_mesh, write_mesh
from repose.mesh.mesh import Mesh
from repose.mesh.operators import bbox_centre
from repose.methods.build import build
from repose.methods.interface import RestBody
from repose.methods.load import load_weights
from repose.methods.npr.refinement import Distortion
from repose.methods.npr_diffusion.recipe import NprDiffusionRecipe
from repose.predict.poses import predict
from repose.provenance.manifest import Recorder, manifest_path
from repose.score.poses import score
from repose.use.generate import generate
from repose.use.transfer.files import Said
from tests.trainings import fit, resumes
from tests.worms import WIDTHS, worm

NPR = {"rest_pose": 0, "anchors": "rest", **WIDTHS}


def method(steps=6, **settings):
    training = {
        "poses_of": "npr", "steps": steps, "batch": 8, "learning_rate": 2e-3, "schedule": "cosine", "ema": 0.98,
        "validate_every": max(2, steps // 3),
    }  # fmt: skip
    settings = {
        "npr": NPR,
        "width": 32,
        "layers": 2,
        "sampler_steps": 30,
        "predicts": "velocity",
        **settings,
        "training": training,
    }
    return TypeAdapter(Method).validate_python({"architecture": "npr-diffusion", **settings})


@pytest.fixture(scope="module")
def store(worms):
    return worms


@pytest.fixture(scope="module")
def splits(worm_splits):
    return worm_splits


@pytest.fixture(scope="module")
def npr(worm_npr):
    return worm_npr


def trained(settings, store, splits, npr, folder):
    return fit(settings, store, splits["train"], folder, given={"poses_of": npr})


def test_it_sees_one_body_and_nothing_of_the_test(store, splits):
    data = NprDiffusionRecipe.read(method(), store, splits["train"])
    names = [{store.mesh_ids[row] for row in rows} for rows in (data.train, data.val)]
    assert names[0] == {f"id0_{p}" for p in range(48)} and names[1] <= {f"id0_{p}" for p in range(48, 54)}
    assert names[1] and store.mesh_ids[data.rest] == "id0_0"


def test_a_stopped_training_resumes_to_the_same_weights(store, splits, npr, tmp_path, monkeypatch):
    resumes(lambda state: trained(method(), store, splits, npr, state), tmp_path, monkeypatch)


def test_weights_of_another_network_are_refused(store, splits, npr, tmp_path):
    with pytest.raises(ReposeError, match="weights do not fit npr"):
        trained(method(npr=NPR | {"hidden": 8}), store, splits, npr, tmp_path)
    with pytest.raises(ReposeError, match="poses_of"):
        fit(method(), store, splits["train"], tmp_path)


@pytest.fixture(scope="module")
def learned(store, splits, npr, tmp_path_factory):
    settings = method(200)
    found = trained(settings, store, splits, npr, tmp_path_factory.mktemp("diffusion") / "state")
    return settings, found


def test_generated_poses_are_spread_and_near_to_real_ones(learned, store, splits, tmp_path):
    settings, found = learned
    network = build(settings)
    network.load_state_dict(found.weights)
    predict(settings, network.eval(), store.path, splits, "cpu", tmp_path / "p.zarr", "test")
    values = score(tmp_path / "p.zarr", store.path, splits).pivot_table(
        index="protocol", columns="metric", values="value"
    )
    still = TypeAdapter(Method).validate_python({"architecture": "copy-poses", "poses": "rest"})
    predict(still, build(still), store.path, splits, "cpu", tmp_path / "s.zarr", "test")
    baseline = score(tmp_path / "s.zarr", store.path, splits).pivot_table(
        index="protocol", columns="metric", values="value"
    )
    assert (values.mmd_m2 < 0.75 * baseline.mmd_m2).all()
    assert (values.coverage > 2 * baseline.coverage).all()
    assert (values.to_training_m2 < 0.7 * values.spread_m2).all()


def test_meshes_of_new_poses_are_written_for_any_body(learned, tmp_path):
    settings, found = learned
    run = tmp_path / "results" / "runs" / "worms" / "npr-diffusion" / "seed0"
    run.mkdir(parents=True)
    (run / "model.safetensors").write_bytes(save({k: v.contiguous() for k, v in found.weights.items()}))
    (run / "run.json").write_text(json.dumps({"method": settings.model_dump(mode="json")}))
    Recorder("train", "code", {}).seal(manifest_path(run / "model.safetensors"), [run / "model.safetensors"])
    generate(run, tmp_path / "own", 3, None, 0, Said())
    assert sorted(p.name for p in (tmp_path / "own").iterdir()) == [
        *(f"pose{k:03}.obj" for k in range(3)), "sheet.png",
    ]  # fmt: skip
    assert len(read_mesh(tmp_path / "own" / "pose000.obj").vertices) == 162
    pixels = np.asarray(Image.open(tmp_path / "own" / "sheet.png").convert("L"))
    assert all((part < 200).mean() > 0.01 for part in np.array_split(pixels, 3, axis=1))
    vertices, faces = worm(0.5, [0, 0])
    turned = np.random.default_rng(0).permutation(len(vertices))
    there = 100 * vertices[turned] + [500, 300, 200]
    write_mesh(tmp_path / "t.ply", Mesh(there, np.argsort(turned)[faces]))
    for seed, folder in ((0, "a"), (0, "b"), (1, "c")):
        generate(run, tmp_path / folder, 2, tmp_path / "t.ply", seed, Said("y", "cm"))
    a, b, c = (read_mesh(tmp_path / folder / "pose001.ply") for folder in "abc")
    assert np.array_equal(a.vertices, b.vertices) and not np.allclose(a.vertices, c.vertices, atol=1)
    assert np.allclose(bbox_centre(a.vertices), bbox_centre(there), atol=1e-3), "where the template is"
    with pytest.raises(ReposeError, match="is there already"):
        generate(run, tmp_path / "a", 2, tmp_path / "t.ply", 0, Said("y", "cm"))
    assert np.array_equal(a.faces, np.argsort(turned)[faces]) and 100 < np.ptp(a.vertices, axis=0).max() < 400


def test_generated_poses_are_refined_for_the_body_that_gets_them(learned, store, tmp_path):
    settings, found = learned
    save_file({k: v.contiguous() for k, v in found.weights.items()}, tmp_path / "w.safetensors")
    plain, refined = (
        load_weights(build(settings.model_copy(update={"refine_steps": n})), tmp_path / "w.safetensors", "it")
        for n in (0, 60)
    )
    rest = centred(store.vertices(np.array([store.index_of("id2_0")])))[0]
    body = RestBody(rest, torch.from_numpy(store.faces).long())
    with torch.inference_mode():
        one, other, again = (
            net.make(body, 8, torch.Generator().manual_seed(0)) for net in (plain, refined, refined)
        )
    (template,) = refined.npr.templates.of(rest[None], body.faces)
    distortion = Distortion(template)
    assert torch.equal(other, again) and len(refined.npr.code_features) == 48
    # What refinement minimises is mostly the first; of so small a network it leaves the other as it is.
    assert distortion.laplacian(other) < 0.99 * distortion.laplacian(one)
    assert distortion.edge_lengths(other) < 1.02 * distortion.edge_lengths(one)
