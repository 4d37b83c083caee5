"""The scorer of posed bodies: whom it learns, and what is measured with it."""

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import save_file

from repose.audit.audit import audit
from repose.config.models import Compute, Method
from repose.data.meshes import centred
from repose.errors import ReposeError
from repose.methods.build import build
from repose.methods.load import load_weights
from repose.methods.scorers.render_scorer import FEATURES, SIDE, VIEWS, as_input, render_mesh
from repose.methods.scorers.render_scorer_recipe import RenderScorerRecipe
from repose.metrics.metric import measured
from repose.metrics.renders import METRICS
from repose.predict.stage import run as predict
from repose.provenance.manifest import Recorder, manifest_path
from repose.score.render_stage import run
from repose.score.renders import Renders, seen
from repose.score.stage import run as score
from repose.split.triples import draw_triples, one_source_triples
from tests.trainings import fit, resumes
from tests.worms import POSES, THERE, worm_store

NAMES = {metric.name for metric in METRICS}
SETTINGS = {"steps": 60, "batch": 16, "validate_every": 30, "learning_rate": 5e-3, "schedule": "cosine"}


def method(**training):
    settings = {"architecture": "render-scorer", "training": SETTINGS | training}
    return TypeAdapter(Method).validate_python(settings)


def values(scorer, identity, predicted, truth, faces):
    return measured(METRICS, Renders(scorer, identity, predicted, truth, faces))


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


def test_it_sees_whom_it_scores_and_no_test_pose(store, splits):
    data = RenderScorerRecipe.read(method(), store, splits["train"])
    assert data.identities == [0, 2, 3]
    names = [{store.mesh_ids[row] for row in rows.ravel()} for rows in (data.train, data.val)]
    assert names[0] == {f"id{i}_{p}" for i in (0, 2, 3) for p in range(12)}
    assert names[1] == {f"id{i}_{p}" for i in (0, 2, 3) for p in range(12, 16)}
    everyone = splits["train"].assign(role="train")
    both = pd.concat([everyone, draw_triples(THERE, [2, 3], range(4), 8, "val", 0)])
    with pytest.raises(ReposeError, match="nobody is left to score"):
        RenderScorerRecipe.read(method(), store, both)


def test_it_learns_to_tell_bodies_apart_and_resumes(store, splits, trained, tmp_path, monkeypatch):
    found, _ = trained
    assert found.history.val_cross_entropy.iloc[-1] < 0.6 * found.history.val_cross_entropy.iloc[0]
    short = method(steps=6, validate_every=2)
    resumes(lambda state: fit(short, store, splits["train"], state), tmp_path, monkeypatch)


def test_pictures_show_the_whole_body_from_four_sides_at_one_scale(store, scorer):
    mesh = centred(store.vertices(np.array([store.index_of("id3_0")])))[0].numpy()
    drawn = render_mesh(mesh, store.faces, float(scorer.half_height))
    assert (
        drawn.shape == (len(VIEWS), SIDE, SIDE)
        and (drawn[:, 0] == 255).all()
        and (drawn[:, :, 0] == 255).all()
    )
    wide = [(picture < 250).any(axis=0).sum() for picture in drawn]
    assert wide[0] == wide[2] > 2 * wide[1] == 2 * wide[3]  # 3 long, 0.9 across
    smaller = render_mesh(mesh / 2, store.faces, float(scorer.half_height))
    assert (drawn < 250).sum() > 3 * (smaller < 250).sum()
    assert as_input(drawn).shape == (len(VIEWS), 1, SIDE, SIDE) and as_input(drawn)[:, :, 0].abs().max() == 0


def test_the_truth_is_best_and_another_body_is_told(store, scorer):
    def body(identity, poses):
        return centred(store.vertices(np.array([store.index_of(f"id{identity}_{p}") for p in poses])))

    real = body(3, range(50, 58))
    best = values(scorer, 3, real, real, store.faces)
    assert set(best) == NAMES and best["render_fid"] == pytest.approx(0, abs=1e-6)
    assert best["render_kid"] < 0 and best["render_accuracy"] == best["real_render_accuracy"] > 0.6
    other = values(scorer, 3, body(0, range(50, 58)), real, store.faces)
    assert other["render_fid"] > 1 and other["render_kid"] > 0 and other["render_accuracy"] < 0.3
    with torch.inference_mode():
        one = scorer(as_input(render_mesh(real[2].numpy(), store.faces, float(scorer.half_height))))
    assert torch.allclose(seen(scorer, real, store.faces).logits[8:12], one.logits, atol=1e-5)
    with pytest.raises(ReposeError, match="does not know identity 1"):
        values(scorer, 1, real, real, store.faces)
    with pytest.raises(ReposeError, match=r"identity 3 is shown in 4 poses; RenderFID needs 5"):
        values(scorer, 3, real[:4], real, store.faces)
    assert len(VIEWS) * 5 > FEATURES


@pytest.fixture
def sealed(store, splits, trained, tmp_path):
    """Predictions of transfers and of generated poses, with the manifests of all that they are made from."""
    files = {"store": store.path, "scorer": trained[1]}
    for name, table in splits.items():
        files[name] = tmp_path / f"{name}.parquet"
        table.to_parquet(files[name], index=False)
    for name, file in files.items():
        Recorder(name, "code", {}).seal(manifest_path(file), [file])
    made, moved = tmp_path / "made.zarr", tmp_path / "moved.zarr"
    for out, parts, copies in (
        (made, ("train", "unseen"), {"architecture": "copy-poses", "poses": "training"}),
        (moved, ("unseen", "one-source"), {"architecture": "copy", "mesh": "identity"}),
    ):
        lists = {part: files[part] for part in parts}
        settings = TypeAdapter(Method).validate_python(copies)
        predict(settings, Compute(device="cpu"), store.path, lists, None, out)
    return files | {"made": made, "moved": moved}


def test_transfers_from_one_source_are_scored_body_by_body(sealed, store, scorer, splits, tmp_path):
    out, lists = tmp_path / "renders.parquet", {"one-source": sealed["one-source"]}
    run(sealed["moved"], sealed["store"], lists, sealed["scorer"], out)
    rows = pd.read_parquet(out)
    assert set(rows.identity_mesh) == {"id2", "id3"} and len(rows) == 2 * len(METRICS)
    triples = splits["one-source"][splits["one-source"].identity_mesh.str.startswith("id3_")]
    shown, truth = (
        centred(store.vertices(triples[column].map(store.index_of).to_numpy()))
        for column in ("identity_mesh", "truth_mesh")
    )
    expected = values(scorer, 3, shown, truth, store.faces)  # copy-identity moves nothing
    assert rows[rows.identity_mesh == "id3"].set_index("metric").value.to_dict() == pytest.approx(expected)
    scores = tmp_path / "scores.parquet"
    score(sealed["moved"], sealed["store"], lists, scores)
    plain = pd.read_parquet(scores)
    assert list(plain) == list(rows) and set(plain.metric).isdisjoint(NAMES)
    with pytest.raises(ReposeError, match=r"a scorer here scores images, not meshes .*repose score-renders"):
        score(sealed["moved"], sealed["store"], lists, scores, "meshes", sealed["scorer"])


def test_generated_poses_are_scored_of_every_body(sealed, tmp_path):
    out, lists = tmp_path / "renders.parquet", {part: sealed[part] for part in ("train", "unseen")}
    run(sealed["made"], sealed["store"], lists, sealed["scorer"], out, "poses")
    rows = pd.read_parquet(out)
    wide = rows.pivot_table(index="identity", columns="metric", values="value")
    assert set(wide.index) == {0, 2, 3} and set(wide) == NAMES and wide.render_accuracy.mean() > 0.6
    assert set(rows.protocol) == {"own-body", "new-body"}
    scores = tmp_path / "scores.parquet"
    score(sealed["made"], sealed["store"], lists, scores, "poses")
    plain = pd.read_parquet(scores)
    assert list(plain) == list(rows) and set(plain.metric).isdisjoint(NAMES)


def test_an_audit_scores_again_and_finds_what_was_edited(sealed, tmp_path):
    lists = {"meshes": ("moved", ["one-source"]), "poses": ("made", ["train", "unseen"])}
    for medium, (name, parts) in lists.items():
        out = tmp_path / f"{medium}.parquet"
        run(sealed[name], sealed["store"], {p: sealed[p] for p in parts}, sealed["scorer"], out, medium)
        found = audit(out, rescore=True)
        assert found.faults == [] and {node.path.name for node in found.nodes} >= {"model.manifest.json"}
        rows = pd.read_parquet(out)
        rows.loc[0, "value"] += 0.01
        rows.to_parquet(out, index=False)
        recorder = Recorder("score-renders", found.root.manifest.history["code"], {"medium": medium})
        for parent, manifest in found.root.manifest.parents.items():
            recorder.uses(parent, manifest)
        recorder.seal(manifest_path(out), [out])
        assert audit(out).faults == []
        assert any(
            "1 scores differ from the predictions: " in what for _, what in audit(out, rescore=True).faults
        )


def test_predictions_of_another_split_are_not_scored(sealed, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    pd.read_parquet(sealed["one-source"]).iloc[:-1].to_parquet(other / "one-source.parquet", index=False)
    Recorder("split", "code", {}).seal(other / "one-source.manifest.json", [other / "one-source.parquet"])
    lists = {"one-source": other / "one-source.parquet"}
    with pytest.raises(ReposeError, match="was made from another one-source"):
        run(sealed["moved"], sealed["store"], lists, sealed["scorer"], tmp_path / "renders.parquet")
    assert not (tmp_path / "renders.parquet").exists()
