import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repose.errors import ReposeError
from repose.split.protocols import Partition, check_apart, protocol_triples, training_triples
from repose.split.triples import Meshes, draw_triples, one_source_triples, write_list

IDENTITIES = Partition([0, 1, 2, 3, 4], [5, 6], [7, 8, 9])
POSES = Partition([0, 1, 2, 3, 4, 5], [6, 7, 8], [9, 10, 11, 12])


def grid(identities, poses, without=(), **options) -> Meshes:
    return Meshes({(i, p) for i in range(identities) for p in range(poses)} - set(without), **options)


FULL = grid(10, 13)


def parts(name):
    return tuple(map(int, re.fullmatch(r"id(\d+)_(\d+)", name).groups()))


@given(seed=st.integers(0, 2**31), count=st.integers(1, 60))
def test_a_triple_puts_one_body_into_the_pose_of_another(seed, count):
    triples = draw_triples(FULL, range(4), range(5, 10), count, "train", seed)
    assert len(triples) == count and not triples.duplicated().any()
    for row in triples.itertuples():
        (i, p), (j, q), truth = parts(row.identity_mesh), parts(row.pose_mesh), parts(row.truth_mesh)
        assert truth == (i, q) and i != j and p != q
        assert {i, j} <= set(range(4)) and {p, q} <= set(range(5, 10))


def used(triples):
    meshes = [parts(m) for column in triples.columns[:3] for m in triples[column]]
    return {i for i, _ in meshes}, {p for _, p in meshes}


def test_unseen_shares_no_identity_and_no_pose_with_training_or_validation():
    training = training_triples(FULL, IDENTITIES, POSES, 200, 10, seed=3)
    test = protocol_triples("unseen", FULL, IDENTITIES, POSES, 30, seed=3)
    assert set(test.role) == {"test-unseen"}
    for role in ("train", "val"):
        identities, poses = used(training[training.role == role])
        assert not identities & used(test)[0] and not poses & used(test)[1]


def test_seen_pose_has_new_identities_in_training_poses():
    training = training_triples(FULL, IDENTITIES, POSES, 200, 10, seed=3)
    test = protocol_triples("seen-pose", FULL, IDENTITIES, POSES, 30, seed=3)
    identities, poses = used(training[training.role == "train"])
    assert not identities & used(test)[0]
    assert used(test)[1] <= poses


def test_a_half_is_of_its_own_poses_that_no_training_has():
    test = protocol_triples("bent", FULL, IDENTITIES, POSES, 30, 3, half={0, 1, 6, 9, 10, 11})
    assert set(test.role) == {"test-bent"} and used(test) == ({7, 8, 9}, {9, 10, 11})
    straight = protocol_triples("straight", FULL, IDENTITIES, POSES, 30, 3, half={9, 10, 11})
    assert not straight.truth_mesh.equals(test.truth_mesh), "drawn on its own"
    with pytest.raises(ReposeError, match="3 identities × 0 poses give 0"):
        protocol_triples("bent", FULL, IDENTITIES, POSES, 30, 3, half={0, 6})


def test_the_same_seed_gives_the_same_triples_and_roles_draw_apart():
    one, two = (training_triples(FULL, IDENTITIES, POSES, 50, n, seed=1) for n in (3, 9))
    assert one[one.role == "train"].equals(two[two.role == "train"])
    other = training_triples(FULL, IDENTITIES, POSES, 50, 3, seed=2)
    assert not one.equals(other)


def test_more_triples_than_there_are_is_an_error():
    assert len(draw_triples(FULL, range(2), range(2), 4, "val", 0)) == 4
    with pytest.raises(ReposeError, match="give 4"):
        draw_triples(FULL, range(2), range(2), 5, "val", 0)


def test_a_partition_is_checked_against_the_catalogue():
    POSES.check(set(range(13)), "pose")
    with pytest.raises(ReposeError, match="no pose 12"):
        POSES.check(set(range(12)), "pose")
    with pytest.raises(ReposeError, match="test pose 1 is in training"):
        Partition([0, 1], [2], [1]).check({0, 1, 2}, "pose")


def test_training_and_validation_may_share_identities_or_poses_but_not_both():
    shared, apart = Partition([0, 1], [0, 1], [2]), Partition([0, 1], [2, 3], [4])
    check_apart(shared, apart)
    check_apart(apart, shared)
    with pytest.raises(ReposeError, match="share identities and poses"):
        check_apart(shared, Partition([0, 1], [1, 2], [4]))


def brute(meshes, identities, poses):
    return {
        (i, p, j, q)
        for i in identities for j in identities for p in poses for q in poses
        if i != j and p != q and (i, p) in meshes.pairs and (j, q) in meshes.pairs
        and (not meshes.has_truth or (i, q) in meshes.pairs)
    }  # fmt: skip


@given(
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=14), st.booleans(), st.integers(0, 99)
)
def test_holes_are_never_drawn_and_every_triple_can_be(holes, has_truth, seed):
    meshes = grid(3, 4, holes, has_truth=has_truth)
    possible = brute(meshes, range(3), range(4))
    if possible:
        triples = draw_triples(meshes, range(3), range(4), len(possible), "val", seed)
        drawn = {(*parts(row.identity_mesh), *parts(row.pose_mesh)) for row in triples.itertuples()}
        assert drawn == possible
        assert triples.truth_mesh.isna().all() != has_truth
    with pytest.raises(ReposeError, match=f"give {len(possible)}$|give {len(possible)} "):
        draw_triples(meshes, range(3), range(4), len(possible) + 1, "val", seed)


def test_a_set_without_truth_has_two_names_a_line(tmp_path):
    triples = draw_triples(grid(3, 3, has_truth=False), range(3), range(3), 4, "train", 0)
    write_list(triples, tmp_path / "list.txt")
    lines = (tmp_path / "list.txt").read_text().splitlines()
    assert [line.split() for line in lines] == (
        triples[["identity_mesh", "pose_mesh"]] + ".obj"
    ).to_numpy().tolist()


def test_the_text_list_has_the_published_three_columns(tmp_path):
    triples = draw_triples(FULL, range(3), range(4), 7, "test-unseen", 0)
    write_list(triples, tmp_path / "list.txt")
    lines = (tmp_path / "list.txt").read_text().splitlines()
    assert len(lines) == 7
    assert all(re.fullmatch(r"id\d+_\d+\.obj id\d+_\d+\.obj id\d+_\d+\.obj", line) for line in lines)
    assert lines[0].split() == [m + ".obj" for m in triples.iloc[0, :3]]


def test_triples_of_one_source_are_all_shown_by_it():
    there = Meshes({(i, p) for i in range(5) for p in range(8)} - {(3, 7)})
    triples = one_source_triples(there, 0, [3, 4], [5, 6, 7], 10, 0)
    assert len(triples) == 5 and set(triples.role) == {"test-one-source"}  # 2 × 3 without (3, 7)
    for row in triples.itertuples():
        (i, p), (j, q) = (tuple(map(int, name[2:].split("_"))) for name in (row.identity_mesh, row.pose_mesh))
        assert j == 0 and i in (3, 4) and p != q and row.truth_mesh == f"id{i}_{q}"
    assert len(one_source_triples(there, 0, [3, 4], [5, 6, 7], 3, 0)) == 3
    lone = Meshes(there.pairs - {(4, 6), (4, 7)})  # 4 is in no other pose than 5: (3, 5) and (3, 6) are left
    assert all(len(one_source_triples(lone, 0, [3, 4], [5, 6, 7], 2, seed)) == 2 for seed in range(9))
    with pytest.raises(ReposeError, match="identity 9 is in no pose"):
        one_source_triples(there, 9, [3, 4], [5, 6, 7], 3, 0)
