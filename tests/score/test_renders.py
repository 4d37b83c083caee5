"""The scorer of posed bodies: whom it learns, and what is measured with it."""

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import save_file

from repose.config.methods import Method
from repose.errors import ReposeError
from repose.models import build
from repose.models.copy import CopyMesh
from repose.models.copy_poses import CopyPoses
from repose.models.load import load_weights
from repose.models.render_scorer import FEATURES, SIDE, VIEWS, as_input, pictures
from repose.predict.poses import predict_poses
from repose.predict.run import predict
from repose.provenance.manifest import Recorder, load, manifest_path
from repose.score.poses import score_poses
from repose.score.renders import METRICS, judged, render_values
from repose.score.rows import score
from repose.score.stage import differs_from_predictions, run
from repose.split.triples import draw_triples, one_source_triples
from repose.train.batches import centred
from repose.train.tasks.render_scorer import RenderScorerTask
from tests.trainings import fit, resumes
from tests.worms import POSES, THERE, worm_store

SETTINGS = {"steps": 60, "batch": 16, "validate_every": 30, "learning_rate": 5e-3, "schedule": "cosine"}


def method(**training):
    settings = {"architecture": "render-scorer", "training": SETTINGS | training}
    return TypeAdapter(Method).validate_python(settings)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return worm_store(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def splits():
    parts = (
        draw_triples(THERE, [0, 1], range(12), 60, "train", 0),
        draw_triples(THERE, [0, 1], range(12, 16), 8, "val", 0),
    )
    return {
        "train": pd.concat(parts, ignore_index=True),
        "unseen": draw_triples(THERE, [2, 3], range(50, POSES), 40, "test-unseen", 0),
        "one-source": one_source_triples(THERE, 0, [2, 3], range(50, POSES), 200, 0),
    }


@pytest.fixture(scope="module")
def trained(store, splits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scorer")
    found = fit(method(), store, splits["train"], folder / "state")
    save_file({k: v.contiguous() for k, v in found.weights.items()}, folder / "model.safetensors")
    return found, folder / "model.safetensors"


@pytest.fixture(scope="module")
def scorer(trained):
    return load_weights(build(method()), trained[1], "the scorer")


def test_it_sees_whom_it_judges_and_no_test_pose(store, splits):
    data = RenderScorerTask.read(method(), store, splits["train"])
    assert data.identities == [0, 2, 3]
    names = [{store.mesh_ids[row] for row in rows.ravel()} for rows in (data.train, data.val)]
    assert names[0] == {f"id{i}_{p}" for i in (0, 2, 3) for p in range(12)}
    assert names[1] == {f"id{i}_{p}" for i in (0, 2, 3) for p in range(12, 16)}
    everyone = splits["train"].assign(role="train")
    both = pd.concat([everyone, draw_triples(THERE, [2, 3], range(4), 8, "val", 0)])
    with pytest.raises(ReposeError, match="nobody is left to judge"):
        RenderScorerTask.read(method(), store, both)


def test_it_learns_to_tell_bodies_apart_and_resumes(store, splits, trained, tmp_path, monkeypatch):
    found, _ = trained
    assert found.history.val_cross_entropy.iloc[-1] < 0.6 * found.history.val_cross_entropy.iloc[0]
    short = method(steps=6, validate_every=2)
    resumes(lambda state: fit(short, store, splits["train"], state), tmp_path, monkeypatch)


def test_pictures_show_the_whole_body_from_four_sides_at_one_scale(store, scorer):
    mesh = centred(store.vertices(np.array([store.index_of("id3_0")])))[0].numpy()
    drawn = pictures(mesh, store.faces, float(scorer.half_height))
    assert (
        drawn.shape == (len(VIEWS), SIDE, SIDE)
        and (drawn[:, 0] == 255).all()
        and (drawn[:, :, 0] == 255).all()
    )
    wide = [(picture < 250).any(axis=0).sum() for picture in drawn]
    assert wide[0] == wide[2] > 2 * wide[1] == 2 * wide[3]  # 3 long, 0.9 across
    smaller = pictures(mesh / 2, store.faces, float(scorer.half_height))
    assert (drawn < 250).sum() > 3 * (smaller < 250).sum()
    assert as_input(drawn).shape == (len(VIEWS), 1, SIDE, SIDE) and as_input(drawn)[:, :, 0].abs().max() == 0


def test_the_truth_is_best_and_another_body_is_told(store, scorer):
    def body(identity, poses):
        return centred(store.vertices(np.array([store.index_of(f"id{identity}_{p}") for p in poses])))

    real = body(3, range(50, 58))
    best = render_values(scorer, 3, real, real, store.faces)
    assert set(best) == set(METRICS) and best["render_fid"] == pytest.approx(0, abs=1e-6)
    assert best["render_kid"] < 0 and best["render_accuracy"] == best["real_render_accuracy"] > 0.6
    other = render_values(scorer, 3, body(0, range(50, 58)), real, store.faces)
    assert other["render_fid"] > 1 and other["render_kid"] > 0 and other["render_accuracy"] < 0.3
    with torch.inference_mode():
        one = scorer(as_input(pictures(real[2].numpy(), store.faces, float(scorer.half_height))))
    assert torch.allclose(judged(scorer, real, store.faces).logits[8:12], one.logits, atol=1e-5)
    with pytest.raises(ReposeError, match="does not know identity 1"):
        render_values(scorer, 1, real, real, store.faces)
    with pytest.raises(ReposeError, match=r"identity 3 is shown in 4 poses; RenderFID needs 5"):
        render_values(scorer, 3, real[:4], real, store.faces)
    assert len(VIEWS) * 5 > FEATURES


def test_made_up_poses_and_transfers_from_one_source_are_judged(store, splits, trained, scorer, tmp_path):
    """Through the stage, twice: its rows, and that they come out again."""
    made, moved = tmp_path / "made.zarr", tmp_path / "moved.zarr"
    asked = {part: splits[part] for part in ("train", "unseen")}
    predict_poses(CopyPoses("training", 0), store, asked, None, "cpu", made, "test")
    rows = score_poses(made, store, asked, scorer)
    plain = score_poses(made, store, asked)
    assert set(rows.metric) - set(plain.metric) == set(METRICS)
    wide = rows.pivot_table(index="identity", columns="metric", values="value")
    assert wide.render_accuracy.mean() > 0.6 and set(wide.index) == {0, 2, 3}

    lists = {part: splits[part] for part in ("unseen", "one-source")}
    predict(CopyMesh("identity"), store, lists, "cpu", moved, "test")
    assert set(score(moved, store, "unseen", splits["unseen"], scorer).metric).isdisjoint(METRICS)
    judged_rows = score(moved, store, "one-source", splits["one-source"], scorer)
    of_bodies = judged_rows[judged_rows.metric.isin(METRICS)]
    assert set(of_bodies.identity_mesh) == {"id2", "id3"} and len(of_bodies) == 2 * len(METRICS)

    files = {"moved": moved, "scorer": trained[1], "meshes": store.path}
    for name, table in lists.items():
        files[name] = tmp_path / f"{name}.parquet"
        table.to_parquet(files[name], index=False)
    for name in ("meshes", "one-source", "unseen", "scorer"):
        Recorder(name, "code", {}).seal(manifest_path(files[name]), [files[name]])
    recorder = Recorder("predict", "code", {})
    for name, file in (("store", "meshes"), ("one-source", "one-source"), ("unseen", "unseen")):
        recorder.uses(name, manifest_path(files[file]))
    recorder.seal(manifest_path(moved), [moved])
    out = tmp_path / "scores.parquet"
    run(moved, store.path, {name: files[name] for name in lists}, out, "meshes", trained[1])
    assert set(METRICS) <= set(pd.read_parquet(out).metric)
    assert differs_from_predictions(load(manifest_path(out))) == []
