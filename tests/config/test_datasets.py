from pkgutil import resolve_name

import pytest
from pydantic import TypeAdapter, ValidationError

from repose import specs
from repose.config.load import check
from repose.config.models import Dataset
from repose.errors import ReposeError
from repose.numbers import expand
from repose.raw.dfaust import MOTIONS
from repose.raw.settings import PARTS, Choice, Parts

DATASET = TypeAdapter(Dataset)
COUNTS = {"train": 2, "val": 2, "test": 2}


@pytest.mark.parametrize(
    ("written", "kept", "numbers"),
    [
        ("0-3, 7", "0-3,7", [0, 1, 2, 3, 7]),
        ([0, "2-4"], "0,2-4", [0, 2, 3, 4]),
        (7, "7", [7]),
        ("50026-50027", "50026-50027", [50026, 50027]),
    ],
)
def test_numbers_are_written_in_several_ways(written, kept, numbers):
    choice = Choice(train=written, val=written, test=written)
    assert choice.train == kept and expand(kept) == numbers == choice.all()
    assert Choice(**choice.model_dump()) == choice


@pytest.mark.parametrize(
    "written", ["", "3-1", "a", "-1", "1,,2", "1,1", "0-4,3", [], [1.5], None, {"a": 1}, "1-2-3"]
)
def test_what_is_no_range_is_refused(written):
    with pytest.raises(ValidationError):
        Choice(train=written, val="0", test="1")


def test_counts_go_to_the_parts_in_order():
    assert Parts(train=2, val=1, test=2).numbers() == {"train": [0, 1], "val": [2], "test": [3, 4]}


@pytest.mark.parametrize("source", ["faust", "smpl-npt", "smal", "dfaust"])
def test_default_parts_share_nothing_with_the_test_and_no_mesh_between_training_and_validation(source):
    dataset = DATASET.validate_python({"source": source})
    people = {part: set(numbers) for part, numbers in dataset.identities.numbers().items()}
    frames = {10_000 * k + t for k in range(len(MOTIONS)) for t in (0, 20)}
    poses = {part: set(numbers) for part, numbers in dataset.pose_parts(frames).items()}
    for parts in (people, poses):
        assert not parts["test"] & (parts["train"] | parts["val"]) and all(parts.values())
    assert not (people["train"] & people["val"] and poses["train"] & poses["val"])
    assert set(dataset.identities.all()) == set().union(*people.values())


def test_published_parts():
    smpl, smal = (DATASET.validate_python({"source": source}) for source in ("smpl-npt", "smal"))
    assert smpl.identities.numbers()["train"] == list(range(16))
    assert smpl.identities.numbers()["test"] == list(range(16, 30))
    assert smpl.poses.numbers()["train"] == list(range(200, 600))
    assert smpl.poses.numbers()["test"] == list(range(600, 800))
    assert len(smal.identities.numbers()["train"]) == 29 and len(smal.identities.numbers()["test"]) == 12
    assert smal.identities.all() == list(range(41)) and smal.poses.all() == list(range(600))


def test_a_moved_border_changes_no_raw_setting():
    one, two = (
        DATASET.validate_python(
            {"source": "faust", "poses": {"train": f"0-{k}", "val": f"{k + 1}-6", "test": "7-9"}}
        )
        for k in (3, 4)
    )
    assert one.raw_settings() == two.raw_settings()
    assert one.split_settings("train") != two.split_settings("train")


SECTIONS = [
    ({"source": "faust"}, "pairs", {"train": 10}),
    ({"source": "faust"}, "pairs", {}),
    ({"source": "faust"}, "poses", {"test": "8-9"}),
    ({"source": "smal"}, "identities", {"val": "0-3", "test": 40}),
    ({"source": "dfaust"}, "motions", {"val": ["hips"]}),
    ({"source": "dfaust"}, "identities", {"train": 50002}),
    ({"source": "open-fashion"}, "identities", {"train": 5}),
    ({"source": "deepfashion"}, "pairs", {"val": None}),
]


@pytest.mark.parametrize(("dataset", "section", "given"), SECTIONS)
def test_a_section_in_part_keeps_the_other_defaults_of_the_dataset(dataset, section, given):
    whole = DATASET.validate_python(dataset)
    part = DATASET.validate_python(dataset | {section: given})
    kind = type(getattr(whole, section))
    expected = kind.model_validate(getattr(whole, section).model_dump() | given)
    assert getattr(part, section) == expected and (getattr(whole, section) == expected) == (not given)
    assert part == whole.model_copy(update={section: expected})
    assert DATASET.validate_python(part.model_dump(mode="json")) == part


def test_what_a_dataset_has_no_default_of_is_missing():
    config = {"datasets": {"mine": {"source": "open-human", "identities": {"train": 3}, "poses": COUNTS}}}
    with pytest.raises(ReposeError, match=r"key 'datasets\.mine\.identities\.val' is missing"):
        check(config | {"methods": {}, "tables": {}})
    config["datasets"]["mine"] = {"source": "faust", "pairs": {"trian": 3}}
    with pytest.raises(
        ReposeError, match=r"unknown key 'datasets\.mine\.pairs\.trian'.*did you mean 'train'"
    ):
        check(config | {"methods": {}, "tables": {}})


def test_a_split_shows_every_number_that_goes_to_a_part():
    faust = DATASET.validate_python({"source": "faust"}).split_settings("unseen")
    assert faust["poses"] == {"train": [0, 1, 2, 3, 4], "val": [5, 6], "test": [7, 8, 9]}
    assert faust["identities"]["test"] == [8, 9] and faust["pairs"] == {"test": 12} and faust["has_truth"]
    human = {"source": "open-human", "identities": COUNTS, "poses": COUNTS}
    human = DATASET.validate_python(human).split_settings("train")
    assert human["identities"] == human["poses"] == {"train": [0, 1], "val": [2, 3], "test": [4, 5]}
    assert human["pairs"] == {"train": 20_000, "val": 60}
    dfaust = DATASET.validate_python({"source": "dfaust"}).split_settings("train")
    assert dfaust["pose_ranges"]["test"] == [(120_000, 129_999), (130_000, 139_999)]
    assert not dfaust["has_truth"]


@pytest.mark.parametrize(
    ("dataset", "changed"),
    [
        ({"source": "open-human"}, "repose.raw.settings.Parts.numbers"),
        ({"source": "faust"}, "repose.raw.settings.Choice.numbers"),
        ({"source": "dfaust"}, "repose.raw.settings.Choice.numbers"),
        ({"source": "dfaust"}, "repose.raw.dfaust.Motions.pose_ranges"),
    ],
)
def test_other_logic_of_who_goes_where_changes_what_a_split_follows_from(dataset, changed, monkeypatch):
    counts = {"identities": COUNTS, "poses": COUNTS} if dataset["source"] == "open-human" else {}
    chosen = DATASET.validate_python(dataset | counts)
    before = specs.split(chosen, "train")
    parts = resolve_name(changed.replace("settings.", "settings:").replace("dfaust.", "dfaust:"))
    monkeypatch.setattr(changed, lambda self: dict(zip(PARTS, reversed(parts(self).values()), strict=True)))
    after = specs.split(chosen, "train")
    assert after.params != before.params and after.code == before.code


@pytest.mark.parametrize(
    "dataset",
    [
        {"source": "mixamo", "character": "Ch24"},
        {"source": "dfaust"},
        {"source": "deformingthings4d", "animal": "x"},
    ],
)
def test_a_dataset_without_truth_stands_in_no_table(dataset):
    config = {
        "datasets": {"mine": dataset},
        "methods": {"copy": {"architecture": "copy", "mesh": "pose"}},
        "tables": {"table1": {"datasets": ["mine"], "methods": ["copy"]}},
    }
    with pytest.raises(ReposeError, match="'mine' holds no truth"):
        check(config)
