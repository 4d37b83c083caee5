"""The versioned lists of the benchmark as targets of the workflow."""

from tiny.project import Tiny, bring_files, mesh_file

from repose.benchmark.lists import hashes_path, read_hashes, read_list

LIST = "results/benchmark/faust/unseen.manifest.json"


def test_a_list_is_made_with_all_before_it_and_again_when_one_of_its_meshes_changes(tmp_path, quick_jobs):
    project = Tiny(tmp_path, quick_jobs)
    bring_files(project.raw)
    assert project.ran(LIST) == {"raw_files": 1, "convert": 1, "split": 2, "benchmark": 1}
    path = tmp_path / "results" / "benchmark" / "faust" / "unseen.tsv"
    listing, hashes = read_list(path), read_hashes(hashes_path(path))
    # One body shows all poses of one row, and track S hands out its others; none is at rest.
    (row,) = listing.rows
    others = {f"{row.pose_mesh.partition('_')[0]}_{pose}" for pose in range(6)} - {row.pose_mesh}
    assert set(hashes) == {*row.meshes, *others}
    assert project.planned(LIST) == {}
    more = {"store": 1, "train": 1, "benchmark": 1, "benchmark_predict": 1, "rank": 1}
    assert project.planned("results/benchmark/faust/unseen-holes/ranking.csv") == more
    i, p = map(int, listing.rows[0].truth_mesh.removeprefix("id").split("_"))
    name, content = mesh_file(i, p, bend=7)
    (project.raw / name).write_bytes(content)
    assert project.ran(LIST)["benchmark"] == 1
    after = read_hashes(hashes_path(path))
    assert {mesh for mesh in hashes if hashes[mesh] != after[mesh]} == {listing.rows[0].truth_mesh}
    assert read_list(path).sha256 == listing.sha256
