"""User-supplied photos, from the archive to the store, in both layouts: of the owners, and of Intrinsic Flow."""

import hashlib
import io
import json
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from repose.convert import images as convert
from repose.convert.image_catalog import CORRESPONDENCES
from repose.errors import ReposeError
from repose.raw import collect as raw
from repose.raw.corr import Correspondence, read_corr, write_corr
from repose.raw.deepfashion import DeepFashion
from repose.raw.inventory import Inventory, RawFile
from repose.raw.market_1501 import Market1501
from repose.raw.settings import ImagePairs
from repose.split import images as split
from repose.store import images as store_stage
from repose.store.image_store import ImageStore
from repose.use import export_images
from repose.use.export_images import export_archive

ALL = ImagePairs(train=None, val=None, test=None)


def jpg(rng, height=24, width=16) -> bytes:
    out = io.BytesIO()
    small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    Image.fromarray(small.repeat(8, axis=0).repeat(8, axis=1)).save(out, "JPEG", quality=95)
    return out.getvalue()


def csv(names, rng) -> str:
    lines = ["name:keypoints_y:keypoints_x"]
    for name in names:
        lines.append(f"{name}.jpg:{rng.integers(0, 24, 18).tolist()}:{rng.integers(0, 16, 18).tolist()}")
    return "\n".join(lines) + "\n"


def through(dataset, folder) -> tuple[ImageStore, pd.DataFrame, pd.DataFrame]:
    """Run raw, convert, store and split; the store, and the pairs of both parts."""
    base = folder / "results" / "data" / "photos"
    raw.run(dataset, base / "raw.json")
    convert.run(dataset, base / "raw.json", base / "catalog.parquet", base / "img")
    store_stage.run(base / "catalog.parquet", base / "img", base / "images.zarr")
    parts = []
    for part in ("train", "unseen"):
        out = folder / "results" / "splits" / "photos" / f"{part}.parquet"
        split.run(dataset, part, base / "catalog.parquet", out)
        parts.append(pd.read_parquet(out))
    return ImageStore(base / "images.zarr"), *parts


def market_archive(folder, people=3) -> None:
    rng = np.random.default_rng(0)
    folder.mkdir()
    names = []
    with zipfile.ZipFile(folder / "Market-1501-v15.09.15.zip", "w") as archive:
        for place, first in (("bounding_box_train", 1), ("bounding_box_test", 101)):
            for person in range(first, first + people):
                for camera in (1, 2, 3):
                    names.append(f"{person:04}_c{camera}s1_000451_03")
                    archive.writestr(f"Market/{place}/{names[-1]}.jpg", jpg(rng))
        archive.writestr("Market/bounding_box_test/-1_c1s1_000401_03.jpg", jpg(rng))
        archive.writestr("Market/bounding_box_test/0000_c1s1_000401_03.jpg", jpg(rng))
        archive.writestr("Market/query/0101_c4s1_000451_03.jpg", jpg(rng))
        archive.writestr("Market/market-annotation-train.csv", csv(names, rng))


def test_market_as_released_with_joints(tmp_path):
    market_archive(tmp_path / "raw")
    store, train, test = through(
        Market1501(source="market-1501", folder=str(tmp_path / "raw"), pairs=ALL), tmp_path
    )
    assert len(store) == 18 and store.size == (24, 16) and not store.is_rendered
    assert train.role.value_counts().to_dict() == {"train": 12, "val": 6} and len(test) == 18
    people = [
        set(table.source_image.str[:4])
        for table in (train[train.role == "train"], train[train.role == "val"], test)
    ]
    assert people == [{"0001", "0002"}, {"0003"}, {"0101", "0102", "0103"}]
    assert (store.joints([0])[0, :, 2] == 1).all() and (store.segmentation([0]) == 0).all()


def test_deepfashion_as_released(tmp_path):
    rng = np.random.default_rng(1)
    (tmp_path / "raw").mkdir()
    paths = [
        f"img/WOMEN/Dresses/id_{item:08}/{variation:02}_{k}_front.jpg"
        for item in (416, 417, 999)
        for variation in (1, 2)
        for k in (1, 2)
    ]
    names = [
        p.replace("img/WOMEN/Dresses/id_", "fasionWOMENDressesid")
        .replace("_front.jpg", "front")
        .replace("/", "")
        for p in paths
    ]
    rows = [f"{path} id_{path.split('id_')[1][:8]} {'query' if '999' in path else 'train'}" for path in paths]
    with zipfile.ZipFile(tmp_path / "raw" / "img.zip", "w") as archive:
        for path in paths:
            archive.writestr(path, jpg(rng))
        archive.writestr(
            "list_eval_partition.txt", f"{len(rows)}\nimage item part\n" + "\n".join(rows) + "\n"
        )
        archive.writestr("fasion-annotation.csv", csv(names, rng))
    store, train, test = through(
        DeepFashion(source="deepfashion", folder=str(tmp_path / "raw"), pairs=ALL), tmp_path
    )
    assert store.image_ids == sorted(names)
    assert train.role.value_counts().to_dict() == {"train": 4, "val": 4} and len(test) == 4
    assert test.source_image.tolist()[0].startswith("fasionWOMENDressesid0000099901")


def test_the_archive_that_we_write_comes_back(tmp_path):
    """Images, label maps, joints, pairs and .corr files in the layout of Intrinsic Flow."""
    market_archive(tmp_path / "raw")
    first, *tables = through(
        Market1501(source="market-1501", folder=str(tmp_path / "raw"), pairs=ALL), tmp_path
    )
    rng = np.random.default_rng(3)
    pairs = pd.concat(tables, ignore_index=True)
    truth = {}
    for row in pairs.itertuples():
        visibility = rng.integers(0, 3, (24, 16), dtype=np.uint8)
        flow = np.where(visibility[..., None] < 2, rng.normal(size=(24, 16, 2)) * 4, 0).astype(np.float32)
        truth[row.source_image, row.target_image] = flow, visibility
    first.flow = lambda s, t: truth[first.image_ids[s], first.image_ids[t]]
    splits = sorted((tmp_path / "results" / "splits" / "photos").glob("*.parquet"))
    export_archive(first, splits, tmp_path / "archive")
    sample = tables[0].iloc[0]
    corr = tmp_path / "archive" / "3d" / "hmr" / "corr" / f"{sample.target_image}_{sample.source_image}.corr"
    assert corr.stat().st_size == 8 + 9 * 24 * 16 and (read_corr(corr).visibility <= 2).all()
    labels = json.loads((tmp_path / "archive" / "Label" / "pair_split.json").read_text())
    assert {key: len(value) for key, value in labels.items()} == {
        "train": 12,
        "val": 6,
        "test": 18,
        "test_small": 4,
    }
    joints = pickle.loads((tmp_path / "archive" / "Label" / "pose_label.pkl").read_bytes())
    np.testing.assert_allclose(joints[first.image_ids[2]], first.joints([2])[0, :, :2], atol=1e-4)

    again, train, test = through(
        Market1501(source="market-1501", folder=str(tmp_path / "archive"), pairs=ALL), tmp_path / "again"
    )
    assert set(again.image_ids) == set(first.image_ids)
    assert set(map(tuple, test[["source_image", "target_image"]].to_numpy())) == set(
        map(tuple, tables[1][["source_image", "target_image"]].to_numpy())
    )
    assert set(train.source_image.str[:4]) == {"0001", "0002"}  # one of the two is for validation now
    for names, (flow, visibility) in truth.items():
        got = again.flow(again.index_of(names[0]), again.index_of(names[1]))
        np.testing.assert_allclose(got[0], flow, atol=1e-5)
        np.testing.assert_array_equal(got[1], visibility)


@pytest.fixture
def photos_and_flow(tmp_path):
    """Photos of Market, and the .corr file of a pair of them, of one number everywhere."""
    market_archive(tmp_path / "archive")
    with zipfile.ZipFile(tmp_path / "archive" / "Market-1501-v15.09.15.zip") as archive:
        archive.extractall(tmp_path / "raw")
    dataset = Market1501(source="market-1501", folder=str(tmp_path / "raw"), pairs=ALL)
    names = [f"0001_c{camera}s1_000451_03" for camera in (1, 2)]

    def write(number: float) -> None:
        position = np.full((24, 16, 2), number, np.float32)
        corr = Correspondence(position, np.zeros((24, 16), np.uint8))
        write_corr(tmp_path / "raw" / f"{names[1]}_{names[0]}.corr", corr)

    return dataset, names, write


def test_a_corr_file_that_was_changed_reaches_the_store(tmp_path, photos_and_flow):
    dataset, names, write = photos_and_flow
    for number in (3, 7):
        write(number)
        store = through(dataset, tmp_path)[0]
        assert (store.flow(*map(store.index_of, names))[0][0, 0] == number).all()
    converted = tmp_path / "results" / "data" / "photos" / "img"
    copy = converted / f"{names[1]}_{names[0]}.corr"
    assert copy.name in (converted.with_name("img.b3")).read_text()
    assert str(tmp_path) not in str(pd.read_parquet(converted / CORRESPONDENCES).to_numpy())
    write_corr(copy, replace(read_corr(copy), position=np.zeros((24, 16, 2), np.float32)))
    (converted.with_name("images.manifest.json")).unlink()
    with pytest.raises(ReposeError, match=r"\.corr: does not match the manifest of its folder"):
        store_stage.run(converted.with_name("catalog.parquet"), converted, converted.with_name("other.zarr"))


def test_a_corr_file_that_is_not_the_one_that_was_listed_or_the_second_of_a_pair_is_refused(
    tmp_path, photos_and_flow
):
    dataset, names, write = photos_and_flow
    base = tmp_path / "data"
    write(3)
    raw.run(dataset, base / "raw.json")
    write(7)
    with pytest.raises(ReposeError, match=r"\.corr: has changed since the raw files were listed"):
        convert.run(dataset, base / "raw.json", base / "catalog.parquet", base / "img")
    file = f"{names[1]}_{names[0]}.corr"
    (tmp_path / "raw" / "more").mkdir()
    (tmp_path / "raw" / "more" / file).write_bytes((tmp_path / "raw" / file).read_bytes())
    raw.run(dataset, base / "raw.json")
    with pytest.raises(ReposeError, match="are both of one pair of photos"):
        convert.run(dataset, base / "raw.json", base / "catalog.parquet", base / "img")


@pytest.mark.parametrize(
    ("leave_out", "message"),
    [
        ("annotation", "no joints of the photos"),
        ("bounding_box", "no file that the config asks for|is not there"),
    ],
)
def test_what_is_missing_is_named(tmp_path, leave_out, message):
    market_archive(tmp_path / "whole")
    (tmp_path / "raw").mkdir()
    with zipfile.ZipFile(tmp_path / "whole" / "Market-1501-v15.09.15.zip") as whole:
        with zipfile.ZipFile(tmp_path / "raw" / "part.zip", "w") as part:
            for name in whole.namelist():
                if leave_out not in name and "query" not in name and not name.endswith("txt"):
                    part.writestr(name, whole.read(name))
    if leave_out == "bounding_box":
        (tmp_path / "raw" / "part.zip").unlink()
    with pytest.raises(ReposeError, match=message):
        through(Market1501(source="market-1501", folder=str(tmp_path / "raw"), pairs=ALL), tmp_path)


def test_a_photo_that_changed_and_one_of_another_size_are_refused(tmp_path):
    rng = np.random.default_rng(4)
    folder = tmp_path / "raw" / "bounding_box_train"
    folder.mkdir(parents=True)
    names = [f"0001_c{camera}s1_000451_03" for camera in (1, 2)]
    for name in names:
        (folder / f"{name}.jpg").write_bytes(jpg(rng))
    (tmp_path / "raw" / "market-annotation.csv").write_text(csv(names, rng))
    dataset, base = Market1501(source="market-1501", folder=str(tmp_path / "raw")), tmp_path / "data"
    raw.run(dataset, base / "raw.json")
    (folder / f"{names[0]}.jpg").write_bytes(jpg(rng))
    with pytest.raises(ReposeError, match="has changed since the raw files were listed"):
        convert.run(dataset, base / "raw.json", base / "catalog.parquet", base / "img")
    (folder / f"{names[0]}.jpg").write_bytes(jpg(rng, width=32))
    raw.run(dataset, base / "raw.json")
    with pytest.raises(
        ReposeError, match="0001_c2s1_000451_03 is 16 × 24 pixels, 0001_c1s1_000451_03 32 × 24"
    ):
        convert.run(dataset, base / "raw.json", base / "catalog.parquet", base / "img")


def test_a_jpeg_of_many_scans_is_refused_before_each_goes_over_all_pixels(tmp_path):
    out = io.BytesIO()
    Image.new("L", (64, 64)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data[data.rindex(b"\xff\xc4") : -2]  # tables and the scan that they are of
    (tmp_path / "raw.json").write_text("")
    for scans, refusal in ((2, None), (200, "206 scans")):
        (tmp_path / "a.jpg").write_bytes(data[:-2] + last * scans + b"\xff\xd9")
        listed = RawFile("a.jpg", 0, hashlib.sha256((tmp_path / "a.jpg").read_bytes()).hexdigest())
        Inventory(tmp_path, (listed,)).write(tmp_path / "raw.json")
        source = Market1501(source="market-1501").open_source(tmp_path / "raw.json")
        if refusal:
            with pytest.raises(ReposeError, match=refusal):
                source._open("a.jpg", "RGB")
        else:
            assert source._open("a.jpg", "RGB").shape == (64, 64, 3)


@pytest.mark.parametrize("name", ["../../outside", "/outside", ".hidden", "a\nb", "x" * 300])
def test_a_store_of_others_names_no_file_outside_an_export(tmp_path, name):
    with pytest.raises(ReposeError, match="an image has the name"):
        export_images._file_name(name, tmp_path)
    assert export_images._file_name("0001_c1s1_000451_03", tmp_path)
