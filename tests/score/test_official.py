"""FashionIS and AttrRec of photos, by scorers of random weights that the test writes."""

import hashlib
import json
import pickle
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter

from repose.config.models import Compute, Method
from repose.convert import images as convert
from repose.errors import ReposeError
from repose.metrics.images import METRICS
from repose.predict import stage as predict
from repose.provenance.manifest import load, manifest_path
from repose.raw import collect
from repose.raw.deepfashion import DeepFashion
from repose.raw.settings import ImagePairs, Official
from repose.score import stage as score
from repose.score.images import surprises
from repose.score.official import open_scorers, prepared
from repose.split import images as split
from repose.store import images as store_stage
from repose.store.image_store import ImageStore
from repose.tables.images import table as image_table
from repose.tables.runs import Run

ATTRIBUTES = 24


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def network(kind, outputs):
    """Random weights that tell images apart."""
    torch.manual_seed(0)
    made = kind(num_classes=outputs)
    for module in made.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    torch.nn.init.normal_(made.fc.weight, std=0.5)
    return made.eval()


@pytest.fixture(scope="module")
def brought(tmp_path_factory, torchvision):
    """What a user brings: both weights, the labels of every photo, and the networks behind them."""
    folder = tmp_path_factory.mktemp("official")
    inception = partial(torchvision.models.inception_v3, transform_input=True, init_weights=False)
    classes, attributes = network(inception, 23), network(torchvision.models.resnet50, ATTRIBUTES)
    torch.save(classes.state_dict(), folder / "class.pth")
    torch.save({f"module.{k}": v for k, v in attributes.state_dict().items()}, folder / "attribute.pth")
    draw = np.random.default_rng(0)
    labels = {name(k): draw.integers(0, 2, ATTRIBUTES).tolist() for k in range(4)}
    labels[name(3)] = [0] * ATTRIBUTES
    (folder / "attr_label.pkl").write_bytes(pickle.dumps({"label": labels, "entry": []}, protocol=2))
    return folder, classes, attributes, labels


def name(k: int) -> str:
    return f"fasionWOMENDressesid0000099901_{k}front"


def settings(folder, **other) -> Official:
    fashion = {"weights": str(folder / "class.pth"), "sha256": sha256(folder / "class.pth")}
    attributes = {
        "weights": str(folder / "attribute.pth"), "sha256": sha256(folder / "attribute.pth"),
        "labels": str(folder / "attr_label.pkl"), "labels_sha256": sha256(folder / "attr_label.pkl"),
    }  # fmt: skip
    return Official.model_validate({"fashion_is": fashion, "attributes": attributes} | other)


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """Predictions, store and split of twelve test pairs of one person, whose truth is drawn."""
    folder = tmp_path_factory.mktemp("photos")
    files, draw = folder / "raw", np.random.default_rng(1)
    (files / "Img" / "img").mkdir(parents=True)
    (files / "Label").mkdir()
    names = [name(k) for k in range(4)]
    others = [n.replace("999", "111") for n in names] + [n.replace("999", "222") for n in names]
    for photo in names + others:
        small = draw.integers(0, 256, (4, 3, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        Image.fromarray(small).save(files / "Img" / "img" / f"{photo}.jpg", quality=95)
    joints = {photo: draw.integers(0, 24, (18, 2)).tolist() for photo in names + others}
    (files / "Label" / "pose_label.pkl").write_bytes(pickle.dumps(joints, protocol=2))
    lists = {"train": [others[:2], others[4:6]], "test": [[a, b] for a in names for b in names if a != b]}
    (files / "Label" / "pair_split.json").write_text(json.dumps(lists))
    pairs = ImagePairs(train=None, val=None, test=None)
    dataset = DeepFashion(source="deepfashion", folder=str(files), pairs=pairs)
    base = folder / "results" / "data" / "photos"
    collect.run(dataset, base / "raw.json")
    convert.run(dataset, base / "raw.json", base / "catalog.parquet", base / "img")
    store_stage.run(base / "catalog.parquet", base / "img", base / "images.zarr")
    unseen = folder / "results" / "splits" / "photos" / "unseen.parquet"
    split.run(dataset, "unseen", base / "catalog.parquet", unseen)
    method = TypeAdapter(Method).validate_python({"architecture": "copy-image", "image": "target"})
    out = folder / "results" / "predictions" / "photos" / "real-data" / "seed0.zarr"
    predict.run(method, Compute(device="cpu"), base / "images.zarr", {"unseen": unseen}, None, out)
    return out, base / "images.zarr", {"unseen": unseen}


def test_scores_follow_the_published_formulas(brought, predicted, tmp_path):
    folder, classes, attributes, labels = brought
    given, out = settings(folder), tmp_path / "scores.parquet"
    score.run(*predicted, out, "images", None, given)
    rows = pd.read_parquet(out)
    assert not rows.metric.str.startswith("render").any()
    assert load(manifest_path(out)).history["params"]["official"] == given.model_dump(mode="json")

    store, pairs = ImageStore(predicted[1]), pd.read_parquet(predicted[2]["unseen"])
    drawn = store.images([store.index_of(name(k)) for k in range(4)])
    shown = pairs.target_image.str[-6].astype(int).to_numpy()
    with torch.inference_mode():
        share = classes(prepared(drawn, 331, 299)).double().softmax(dim=1).numpy()[shown]
        order = attributes(prepared(drawn, 256, 224)).numpy().argsort(axis=1)[shown, ::-1]
    assert np.ptp(share, axis=0).max() > 0.01, "the scorer tells images apart"
    share = share[np.argsort((pairs.source_image + "_" + pairs.target_image).to_numpy())]
    parts = [share[k * 12 // 10 : (k + 1) * 12 // 10] for k in range(10)]
    each = [np.exp((p * np.log(p / p.mean(axis=0))).sum(axis=1).mean()) for p in parts]
    run = Run("photos", "real-data", "r", rows, 0, None, None)
    row = image_table([run]).iloc[0]
    assert row.fashion_is == pytest.approx(np.mean(each), rel=1e-5) and row.fashion_is > 1.000_001
    for k in (5, 20):
        hits = []
        for target, likely in zip(pairs.target_image, order[:, :k], strict=True):
            truth = np.array(labels[target])
            hits.append(truth[likely].sum() / truth.sum() if truth.any() else 1.0)
        assert row[f"attr_recall_{k}"] == pytest.approx(np.mean(hits), rel=1e-5)
    assert pd.isna(row.render_is) and pd.isna(row.render_attr_recall_5)


def test_either_scorer_may_be_left_out(brought):
    image = np.zeros((1, 8, 8, 3), np.uint8)
    assert open_scorers(settings(brought[0], attributes=None)).attributes_in(image) is None
    assert open_scorers(settings(brought[0], fashion_is=None)).kinds_in(image) is None


def test_images_are_normalised_twice_for_the_kinds_of_clothes_and_once_for_attributes(brought):
    scorers, seen = open_scorers(settings(brought[0])), {}
    scorers.kinds.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, given: seen.update(classes=given[0]))
    scorers.attributes.conv1.register_forward_pre_hook(lambda _, given: seen.update(attributes=given[0]))
    half = np.full((1, 300, 300, 3), 191, np.uint8)  # 191 / 127.5 - 1 is 0.498
    assert scorers.kinds_in(half).shape == (1, 23) and not scorers.kinds.training
    scorers.attributes_in(half)
    twice = torch.tensor([0.458, 0.448, 0.45]) * (191 / 127.5 - 1) - torch.tensor([0.03, 0.088, 0.188])
    assert torch.allclose(seen["classes"], twice[:, None, None].expand(1, 3, 299, 299), atol=1e-6)
    assert torch.allclose(seen["attributes"], torch.full((1, 3, 224, 224), 191 / 127.5 - 1))


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (None, "need torchvision, which is not installed"),
        ("raise RuntimeError('no nms')", "does not go with torch .*: no nms"),
    ],
)
def test_without_torchvision_one_line_says_what_to_install(brought, tmp_path, monkeypatch, module, says):
    for loaded in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, loaded)
    if module is None:
        monkeypatch.setitem(sys.modules, "torchvision", None)
    else:
        (tmp_path / "torchvision.py").write_text(module)
        monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ReposeError, match=rf"{says} \(hint: pip install 'repose\[images\]'"):
        open_scorers(settings(brought[0]))


def test_ten_splits_need_ten_images():
    (fashion,) = (metric for metric in METRICS if metric.name == "fashion_is_nats")
    assert surprises(fashion, torch.randn(9, 23), [f"{k}" for k in range(9)]).isnan().all()
    assert not surprises(fashion, torch.randn(10, 23), [f"{k}" for k in range(10)]).isnan().any()


def test_images_are_resized_by_the_shorter_side_and_cut_in_the_middle():
    image = np.random.default_rng(0).integers(0, 256, (1, 331, 340, 3), dtype=np.uint8)
    expected = image[0, 16:315, 20:319].transpose(2, 0, 1) / 127.5 - 1
    np.testing.assert_allclose(prepared(image, 331, 299)[0], expected, atol=1e-6)
    assert prepared(image[:, :100, :50], 256, 224).shape == (1, 3, 224, 224)


def other_weights(folder, change):
    """Settings with weights of the Inception network that `change` has spoilt."""
    state = torch.load(folder / "class.pth", weights_only=True)
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("Mixed_5b.branch1x1.conv.weight"), "has no Mixed_5b.branch1x1.conv.weight"),
        (lambda s: s.update({"fc.bias": torch.zeros(5)}), r"fc.bias has shape \(5,\), not \(23,\)"),
        (lambda s: s.update({"more": torch.zeros(5)}), "more is not known to torchvision's inception_v3"),
        (lambda s: s.update({"epoch": 3}), "entry 'epoch' is a int, not a tensor"),
    ],
)
def test_weights_that_do_not_fit_are_refused(brought, tmp_path, change, says):
    torch.save(other_weights(brought[0], change), tmp_path / "class.pth")
    fashion = {"weights": str(tmp_path / "class.pth"), "sha256": sha256(tmp_path / "class.pth")}
    with pytest.raises(ReposeError, match=says):
        open_scorers(settings(brought[0], fashion_is=fashion))


def test_an_audit_scores_again_and_another_file_is_refused(brought, predicted, tmp_path):
    given, out = settings(brought[0], fashion_is=None), tmp_path / "scores.parquet"
    score.run(*predicted, out, "images", None, given)
    assert score.differs_from_predictions(load(manifest_path(out))) == []
    before = out.read_bytes(), manifest_path(out).read_bytes()
    wrong = given.model_dump(mode="json")
    wrong["attributes"]["sha256"] = "0" * 64
    with pytest.raises(ReposeError, match="sha256 is .*the config has another"):
        score.run(*predicted, out, "images", None, Official.model_validate(wrong))
    wrong["attributes"]["weights"] = str(tmp_path / "none.pth")
    with pytest.raises(ReposeError, match="cannot read: No such file"):
        score.run(*predicted, out, "images", None, Official.model_validate(wrong))
    assert (out.read_bytes(), manifest_path(out).read_bytes()) == before


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"label": {"x": [0, 1] * 12, "y": [1]}}, "rows of one length"),
        ({"label": {"x": [0, 2] * 12}}, "0 or 1"),
        ({"label": {}}, "rows of one length"),
        ([1], "rows of one length"),
        ({"label": {"x": [0, 1]}}, "tells 2 attributes; AttrRec-20 needs 20"),
        ({"label": {"x": [0, 1] * 10}}, r"fc.weight has shape \(24, 2048\), not \(20, 2048\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(brought, tmp_path, labels, says):
    path = tmp_path / "attr_label.pkl"
    path.write_bytes(pickle.dumps(labels, protocol=2))
    attributes = settings(brought[0]).model_dump()["attributes"]
    attributes |= {"labels": str(path), "labels_sha256": sha256(path)}
    with pytest.raises(ReposeError, match=says):
        open_scorers(settings(brought[0], fashion_is=None, attributes=attributes))


def test_a_target_without_labels_is_named(brought):
    scorers = open_scorers(settings(brought[0], fashion_is=None))
    with pytest.raises(ReposeError, match="no image elsewhere"):
        scorers.attributes_of(["elsewhere"])


def array_of(numbers) -> bytes:
    """Opcodes of an array of int64 as cPickle of Python 2 writes it, protocol 2."""
    raw = np.array(numbers, "<i8").tobytes()
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K%c\x85"
        b"cnumpy\ndtype\nU\x02i8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        % len(numbers)
    ) + len(raw).to_bytes(4, "little") + raw + b"tb"  # fmt: skip


def test_labels_that_numpy_wrote_under_python_2_are_read_and_programs_are_not(brought, tmp_path):
    truth, path = [0, 1] * 12, tmp_path / "attr_label.pkl"
    written = b"\x80\x02}U\x05label}U\x01x" + array_of(truth) + b"ss."
    attributes = settings(brought[0]).model_dump()["attributes"] | {"labels": str(path)}

    def opened(content):
        path.write_bytes(content)
        given = attributes | {"labels_sha256": sha256(path)}
        return open_scorers(settings(brought[0], fashion_is=None, attributes=given))

    assert opened(written).truth["x"].tolist() == truth
    with pytest.raises(ReposeError, match="asks for os.mkdir"):
        opened(written.replace(b"cnumpy.core.multiarray\n_reconstruct", b"cos\nmkdir"))
    with pytest.raises(ReposeError, match="refused: it is cut short"):
        opened(written[:-9])
