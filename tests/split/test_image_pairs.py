"""Pairs of images: within an outfit, in order, apart by people."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import ReposeError
from repose.raw.image_source import PAIR_COLUMNS
from repose.raw.settings import ImagePairs
from repose.split.images import pairs_of

ALL = ImagePairs(train=None, val=None, test=None)
NONE = pd.DataFrame(columns=PAIR_COLUMNS)


def catalog(
    people=((0, "train"), (1, "train"), (2, "val"), (3, "test")), outfits=2, images=3
) -> pd.DataFrame:
    rows = [
        {"image_id": f"id{i}_{o}_{k}", "identity": i, "outfit": f"id{i}_{o}", "part": part}
        for i, part in people
        for o in range(outfits)
        for k in range(images)
    ]
    return pd.DataFrame(rows)


@settings(max_examples=20)
@given(outfits=st.integers(1, 3), images=st.integers(2, 4))
def test_all_ordered_pairs_of_an_outfit(outfits, images):
    rows = catalog(outfits=outfits, images=images)
    train = pairs_of("train", rows, NONE, ALL, 0)
    each = outfits * images * (images - 1)
    assert train.role.value_counts().to_dict() == {"train": 2 * each, "val": each}
    assert not train.duplicated().any()
    for source, target in zip(train.source_image, train.target_image, strict=True):
        assert source != target and source.rsplit("_", 1)[0] == target.rsplit("_", 1)[0]
    test = pairs_of("unseen", rows, NONE, ALL, 0)
    assert set(test.role) == {"test"} and all(name.startswith("id3_") for name in test.source_image)


def test_fewer_are_drawn_by_the_seed():
    rows, wanted = catalog(), ImagePairs(train=5, val=2, test=100)
    one, same, other = (pairs_of("train", rows, NONE, wanted, seed) for seed in (0, 0, 1))
    assert one.equals(same) and not one.equals(other)
    assert one.role.value_counts().to_dict() == {"train": 5, "val": 2}
    assert len(pairs_of("unseen", rows, NONE, wanted, 0)) == 12  # all there are


def test_published_pairs_are_taken_as_they_are():
    rows = catalog()
    published = pd.DataFrame(
        [["id3_0_0", "id3_1_2", "test"], ["id0_0_0", "id0_0_1", "val"]], columns=PAIR_COLUMNS
    )
    assert pairs_of("unseen", rows, published, ALL, 0).to_numpy().tolist() == [["id3_0_0", "id3_1_2", "test"]]
    train = pairs_of("train", rows, published, ALL, 0)
    assert train.role.value_counts().to_dict() == {"train": 24, "val": 1}
    with pytest.raises(ReposeError, match="names id9_9_9, which is not among the images"):
        pairs_of("unseen", rows, published.replace("id3_1_2", "id9_9_9"), ALL, 0)


def test_a_person_in_two_parts_and_a_part_without_pairs_are_refused():
    with pytest.raises(ReposeError, match="identity 0 is in the test and in another part"):
        pairs_of("train", catalog(((0, "train"), (1, "val"), (0, "test"))), NONE, ALL, 0)
    with pytest.raises(ReposeError, match="no test pair"):
        pairs_of("unseen", catalog(((0, "train"),)), NONE, ALL, 0)
