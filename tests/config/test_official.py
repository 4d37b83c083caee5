"""Published scorers in the config."""

import pytest
import yaml

from repose.config.load import load_files
from repose.errors import ReposeError
from repose.raw.deepfashion import DeepFashion

WEIGHTS = {"weights": "best.pth", "sha256": "0" * 64}


def loaded(tmp_path, official, source="deepfashion"):
    values = {
        "datasets": {"photos": {"source": source, "official": official}},
        "methods": {"copy-source": {"architecture": "copy-image", "image": "source"}},
        "tables": {"t": {"datasets": ["photos"], "methods": ["copy-source"]}},
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return load_files(path).datasets["photos"]


def test_judges_change_no_raw_setting_and_no_pair(tmp_path):
    dataset = loaded(tmp_path, {"fashion_is": WEIGHTS})
    assert dataset.official.fashion_is.weights == "best.pth" and dataset.official.attributes is None
    bare = DeepFashion(source="deepfashion")
    assert bare.official is None
    assert dataset.raw_settings() == bare.raw_settings()
    assert dataset.split_settings("train") == bare.split_settings("train")


@pytest.mark.parametrize(
    ("official", "says"),
    [
        ({"fashion_is": {"weights": "best.pth"}}, "'datasets.photos.official.fashion_is.sha256' is missing"),
        ({"fashion_is": WEIGHTS | {"sha256": "abc"}}, "official.fashion_is.sha256: String should match"),
        ({"attributes": WEIGHTS}, "'datasets.photos.official.attributes.labels' is missing"),
        ({"fashion": WEIGHTS}, "unknown key 'datasets.photos.official.fashion'.*did you mean 'fashion_is'"),
    ],
)
def test_what_is_missing_or_misspelt_is_named(tmp_path, official, says):
    with pytest.raises(ReposeError, match=says):
        loaded(tmp_path, official)


def test_market_has_no_published_judge(tmp_path):
    with pytest.raises(ReposeError, match="unknown key 'datasets.photos.official'"):
        loaded(tmp_path, {"fashion_is": WEIGHTS}, "market-1501")
