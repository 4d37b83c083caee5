"""Scores of predicted images and flows."""

import numpy as np
import pytest
import torch
from puppets import puppet_pairs, puppet_store
from pydantic import TypeAdapter
from safetensors.torch import save_file

from repose.config.models import Method
from repose.data.images import scaled
from repose.errors import ReposeError
from repose.images.attributes import attribute_vectors
from repose.methods.build import build
from repose.methods.scorers.image_scorer import ImageScorer
from repose.predict.images import predict
from repose.score.images import score

PAIRS = puppet_pairs(range(2), "test")


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("puppets")
    store = puppet_store(folder)
    found = {}
    for image in ("source", "target"):
        method = TypeAdapter(Method).validate_python({"architecture": "copy-image", "image": image})
        predict(method, build(method), store.path, {"unseen": PAIRS}, "cpu", folder / image, "test")
        found[image] = score(folder / image, store.path, {"unseen": PAIRS})
    return folder, store, found


def means(scores):
    return scores.groupby("metric").value.mean()


def test_the_target_itself_is_perfect_and_has_no_flow(scored):
    best = means(scored[2]["target"])
    assert set(best.index) == {"ssim_u7", "ssim_g15", "masked_ssim_u7", "skeleton_ssim_u7", "psnr_db", "l1"}
    assert best.ssim_u7 == pytest.approx(1) and best.masked_ssim_u7 == pytest.approx(1)
    assert best.psnr_db == 100 and best.l1 == 0


def test_the_source_has_a_flow_of_zeros(scored):
    _, store, found = scored
    copied = means(found["source"])
    lengths = []
    for row in PAIRS.itertuples():
        flow, seen = store.flow(store.index_of(row.source_image), store.index_of(row.target_image))
        lengths.append(np.linalg.norm(flow, axis=-1)[seen < 2].mean())
    assert copied.epe_px == pytest.approx(np.mean(lengths)) and "visibility_iou" not in copied
    assert copied.ssim_u7 < 0.9 and copied.masked_ssim_u7 < copied.ssim_u7


def test_there_is_a_row_per_pair_and_metric(scored):
    scores = scored[2]["source"]
    assert not scores.duplicated(["protocol", "source_image", "target_image", "metric"]).any()
    assert (scores.groupby("metric").size() == len(PAIRS)).all()


def test_predictions_of_other_pairs_are_refused(scored):
    folder, store, _ = scored
    with pytest.raises(ReposeError, match="other unseen pairs"):
        score(folder / "source", store.path, {"unseen": PAIRS.iloc[::-1]})


def test_a_scorer_sees_the_image_and_the_person_cut_out(scored):
    folder, store, _ = scored
    torch.manual_seed(0)
    scorer = ImageScorer().eval()
    save_file(scorer.state_dict(), folder / "scorer.safetensors")
    found = score(folder / "target", store.path, {"unseen": PAIRS}, folder / "scorer.safetensors")
    rows = PAIRS.target_image.map(store.index_of).to_numpy()
    images = scaled(store.images(rows))
    with torch.no_grad():
        judged = scorer(images, torch.from_numpy(store.segmentation(rows)).long())
    share = judged.kind.double().softmax(dim=1).numpy()
    expected = (share * np.log(share / share.mean(axis=0))).sum(axis=1).mean()
    best = means(found)
    assert best.render_is_nats == pytest.approx(expected, rel=1e-6)
    assert best.masked_render_is_nats != best.render_is_nats
    truth = attribute_vectors(store.labels(rows))
    order = judged.attributes.numpy().argsort(axis=1)[:, ::-1][:, :5]
    hits = np.take_along_axis(truth, order, axis=1).sum(axis=1) / truth.sum(axis=1)
    assert best.render_attr_recall_5 == pytest.approx(hits.mean(), rel=1e-6)
    assert (found.groupby("metric").size() == len(PAIRS)).all()


def test_an_exact_flow_is_the_most_that_a_warp_can_do(scored):
    copied = means(scored[2]["source"])
    assert copied.exact_warp_psnr_db > copied.warp_psnr_db
