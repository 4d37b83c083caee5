"""Everything that a scorer must refuse, one test each: one line says what, where and what to do; nothing is scored."""

import io
import os
import shutil
import zipfile

import numpy as np
import pytest
import yaml
from benchmark.project import fill_card, predict, sign

from repose.errors import ReposeError
from repose.provenance.manifest import Recorder, manifest_path


def first(folder):
    return min((folder / "predictions").iterdir())


def vertices_of(path):
    return np.load(path)["vertices"]


def refused(site, folder, *words, signed=True):
    """Both commands end in one line with these words, and no row is left."""
    if signed:
        sign(folder)
    for command in ("check", "score"):
        said = site.repose("submit", command, folder)
        assert isinstance(said.exception, ReposeError), said.output
        line = str(said.exception)
        assert "\n" not in line and all(word in line for word in words), line
    assert not (site.plan.results.ranking("tiny", "unseen").parent / "external").exists()


# 1: the list, the version, the card, the track


def test_another_list_under_the_name(site, submission):
    card = yaml.safe_load((submission / "card.yaml").read_text())
    fill_card(submission, list=card["list"] | {"sha256": "0" * 64})
    refused(site, submission, "000000000000… is unknown", "card.yaml")


def test_other_meshes_under_the_name(site, submission):
    card = yaml.safe_load((submission / "card.yaml").read_text())
    fill_card(submission, list=card["list"] | {"meshes_sha256": "0" * 64})
    refused(site, submission, "other meshes", "card.yaml")


def test_a_list_that_nobody_has(site, submission):
    fill_card(submission, list__name="seen")
    refused(site, submission, "no list named 'seen'", "hint: there are unseen, seen-pose")
    fill_card(submission, list__name="seen-pose")
    refused(site, submission, "seen-pose.tsv is not here", "snakemake")


def test_another_version(site, submission):
    fill_card(submission, benchmark="pt-mesh/2")
    refused(site, submission, "card.yaml:", "'pt-mesh/2' is no version", "pt-mesh/1")


def test_no_card(site, submission):
    (submission / "card.yaml").unlink()
    refused(site, submission, "no card.yaml", signed=False)


def test_a_card_with_an_unknown_key(site, submission):
    fill_card(submission, colour="red")
    refused(site, submission, "card.yaml:", "unknown key 'colour'")


def test_a_card_that_was_not_filled_in(site, submission):
    fill_card(submission, method__licence=None)
    refused(site, submission, "card.yaml:", "method.licence", "fill it in")
    fill_card(submission, method__licence=None, method__version=None, date=None)
    refused(site, submission, "card.yaml:", "3 keys are empty: method.version, method.licence, date")


def test_a_track_that_there_is_not(site, submission):
    fill_card(submission, track="Q")
    refused(site, submission, "card.yaml:", "'Q' is no track", "P, PC, R, RC, S, K")


# 2: files


def test_a_missing_triple(site, submission):
    first(submission).unlink()
    refused(site, submission, "tiny-unseen-0000 is missing", "failed")


def test_a_triple_that_failed_and_has_a_file(site, submission):
    fill_card(submission, failed={"tiny-unseen-0000": "diverged"})
    refused(site, submission, "tiny-unseen-0000 is named under `failed`")


def test_a_failed_triple_that_is_none(site, submission):
    fill_card(submission, failed={"tiny-unseen-9999": "diverged"})
    refused(site, submission, "'tiny-unseen-9999' is no triple")


def test_a_file_too_many(site, submission):
    (submission / "notes.txt").write_text("hello")
    refused(site, submission, "notes.txt", "does not belong")


def test_two_files_of_one_triple(site, submission):
    first(submission).with_suffix(".obj").write_text("v 0 0 0\n")
    refused(site, submission, "tiny-unseen-0000 has two files")


@pytest.mark.parametrize(
    "name", ["tiny-unseen-0099.npz", "tiny-unseen-0000.npy", "x.npz", "tiny-unseen-0000"]
)
def test_a_file_that_is_named_like_no_triple(site, submission, name):
    shutil.copy(first(submission), submission / "predictions" / name)
    refused(site, submission, name, "no triple of the list")


def test_a_link(site, submission, tmp_path):
    path = first(submission)
    path.rename(tmp_path / "elsewhere.npz")
    path.symlink_to(tmp_path / "elsewhere.npz")
    refused(site, submission, "a link or folder")


def test_a_linked_card(site, submission, tmp_path):
    (submission / "card.yaml").rename(tmp_path / "card.yaml")
    (submission / "card.yaml").symlink_to(tmp_path / "card.yaml")
    refused(site, submission, "card.yaml", "a link", signed=False)


def test_a_folder_among_the_predictions(site, submission):
    first(submission).unlink()
    (submission / "predictions" / "tiny-unseen-0000.npz").mkdir()
    refused(site, submission, "a link or folder")


def test_a_pipe_among_the_predictions(site, submission):
    path = first(submission)
    path.unlink()
    os.mkfifo(path)
    refused(site, submission, "a link or folder")


def test_a_path_that_leaves_the_folder(site, submission):
    sums = submission / "SHA256SUMS"
    sums.write_text(sums.read_text() + "0" * 64 + "  ../secret.npz\n")
    refused(site, submission, "SHA256SUMS:14", "no file of the submission", signed=False)


# 3: arrays


def test_an_array_of_objects(site, submission):
    np.savez(first(submission), vertices=np.full((122, 3), None))
    refused(site, submission, "object", "float32 or float64")


def test_more_than_one_array(site, submission):
    np.savez(first(submission), vertices=np.zeros((122, 3)), faces=np.zeros((3, 3)))
    refused(site, submission, "vertices, faces", "not `vertices` alone")


def test_a_bomb(site, submission):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"shape": (122, 3), "fortran_order": False, "descr": "<f8"})
    with zipfile.ZipFile(first(submission), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vertices.npy", head.getvalue() + bytes(3_000_000))
    refused(site, submission, "its arrays have more than 29280 bytes")


def test_a_bomb_that_says_it_is_small(site, submission):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"shape": (122, 3), "fortran_order": False, "descr": "<f8"})
    path = first(submission)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vertices.npy", head.getvalue() + bytes(3_000_000))
    data = path.read_bytes().replace(
        (len(head.getvalue()) + 3_000_000).to_bytes(4, "little"), b"\x80\x00\x00\x00"
    )
    path.write_bytes(data)
    refused(site, submission, first(submission).name)


def test_an_archive_of_another_compression(site, submission):
    data = io.BytesIO()
    np.save(data, vertices_of(first(submission)))
    with zipfile.ZipFile(first(submission), "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("vertices.npy", data.getvalue())
    refused(site, submission, "not a .npz of one plain array", "packed by method")


def test_a_file_that_is_no_archive(site, submission):
    first(submission).write_bytes(b"PK nothing")
    refused(site, submission, "not a .npz of one plain array", "numpy.savez")


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.complex64])
def test_numbers_of_another_type(site, submission, dtype):
    np.savez(first(submission), vertices=vertices_of(first(submission)).astype(dtype))
    refused(site, submission, np.dtype(dtype).name, "float32 or float64")


@pytest.mark.parametrize("shape", [(121, 3), (3, 122), (122, 2), (1, 122, 3)])
def test_another_shape(site, submission, shape):
    np.savez(first(submission), vertices=np.random.default_rng(0).random(shape))
    refused(site, submission, str(shape), "(122, 3)")


def test_an_obj_with_vertices_too_few(site, submission):
    first(submission).unlink()
    (submission / "predictions" / "tiny-unseen-0000.obj").write_text("v 0 0 0\nv 0 1 0\n")
    refused(site, submission, "2 vertices, its identity has 122")


# 4: numbers


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite(site, submission, value):
    vertices = vertices_of(first(submission))
    vertices[7, 1] = value
    np.savez(first(submission), vertices=vertices)
    refused(site, submission, "vertex 7 is not finite")


def test_vertices_that_are_all_equal(site, submission):
    np.savez(first(submission), vertices=np.ones((122, 3)))
    refused(site, submission, "all vertices are equal")


@pytest.mark.parametrize("factor", [1000, 1 / 1000])
def test_another_unit(site, submission, factor):
    np.savez(first(submission), vertices=vertices_of(first(submission)) * np.float32(factor))
    refused(site, submission, "unit?", "metres")


# 5: what no honest method gives


def test_a_truth(site, submission):
    predict(site, submission, noise=0)
    refused(site, submission, "is the truth itself")


def test_a_truth_that_was_moved_and_put_into_another_order(site, submission):
    row = site.listing.rows[0]
    order = np.random.default_rng(0).permutation(122)
    np.savez(first(submission), vertices=site.truth(row)[order] + np.array([1, 2, 3]))
    refused(site, submission, "is the truth itself")


@pytest.mark.parametrize("what", ["identity", "pose"])
def test_inputs_handed_back(site, submission, what):
    for path in (submission / "predictions").iterdir():
        lines = (submission.parent / "inputs" / path.stem / f"{what}.obj").read_text().splitlines()
        vertices = [[float(x) for x in line.split()[1:]] for line in lines if line.startswith("v ")]
        np.savez(path, vertices=np.array(vertices, np.float32))
    refused(site, submission, f"every prediction is the {what} mesh itself", "baseline: true")
    fill_card(submission, method__baseline=True)
    sign(submission)
    assert site.repose("submit", "check", submission).exit_code == 0


def test_one_array_for_many_triples(site, submission):
    paths = sorted((submission / "predictions").iterdir())
    for path in paths[1:]:
        shutil.copy(paths[0], path)
    refused(site, submission, "same array as that of tiny-unseen-0000")


# 6: sums


def test_no_sums(site, submission):
    (submission / "SHA256SUMS").unlink()
    refused(site, submission, "no SHA256SUMS", "sha256sum", signed=False)


def test_a_sum_too_few(site, submission):
    sums = submission / "SHA256SUMS"
    sums.write_text("".join(sums.read_text().splitlines(keepends=True)[:-1]))
    refused(site, submission, "has no line of predictions/tiny-unseen-0011.npz", signed=False)


def test_a_file_that_has_changed_since(site, submission):
    np.savez(first(submission), vertices=vertices_of(first(submission)) * 1.01)
    refused(site, submission, "has changed since SHA256SUMS was written", signed=False)


# 7: tracks and training


def test_an_input_that_the_track_forbids(site, submission):
    fill_card(submission, inputs__correspondence=True)
    refused(site, submission, "track P forbids correspondence", "track PC allows it")


def test_inputs_that_no_track_allows(site, submission):
    fill_card(submission, inputs__correspondence=True, inputs__keypoints=5)
    refused(site, submission, "no track allows all")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"training__data": [{"set": "tiny", "identities": "0-4", "poses": "0-3"}]},
            "identity 4 of the test",
        ),
        ({"training__data": [{"set": "tiny", "identities": "0-1", "poses": "0-6"}]}, "pose 6 of the test"),
        ({"training__chosen_on_test": True}, "chosen by the test"),
    ],
)
def test_a_method_that_learned_from_the_test_is_said(site, submission, changes, why):
    fill_card(submission, **changes)
    sign(submission)
    said = site.repose("submit", "check", submission)
    assert said.exit_code == 0 and why in said.output and "it is scored, and has no rank" in said.output


def test_a_method_that_learned_from_the_test_is_scored_and_not_ranked(site, submission):
    fill_card(submission, training__chosen_on_test=True)
    sign(submission)
    said = site.repose("submit", "score", submission)
    assert said.exit_code == 0, said.exception
    line = next(line for line in said.output.splitlines() if "| mine |" in line)
    assert "contaminated: something was chosen by the test" in line


def test_a_card_of_endless_numbers(site, submission):
    data = [{"set": "tiny", "identities": ",".join(["0-999999"] * 1000), "poses": "0"}]
    fill_card(submission, training__data=data)
    refused(site, submission, "training.data.0.identities", "more than 1000000 numbers")


# 8: truths


def test_truths_that_are_not_those_of_the_list(site, submission):
    store = site.plan.packed("tiny")
    (chunk,) = store.glob("vertices/c/0/0/0")
    numbers = np.fromfile(chunk, "<f4")
    numbers += 0.001
    numbers.tofile(chunk)
    refused(site, submission, "does not match the manifest")
    Recorder("store", "code", {}).seal(manifest_path(store), [store])  # as those of other bodies are
    refused(site, submission, "hash", "make the dataset again")


def test_truths_that_are_not_here(site, submission):
    manifest_path(site.plan.packed("tiny")).unlink()
    refused(site, submission, "meshes.zarr is not here", "snakemake")


def test_licensed_truths_that_are_not_here(site, submission):
    (site.folder / "config.yaml").write_text(
        "datasets: {tiny: {source: faust}}\nmethods: {copy: {architecture: copy, mesh: identity}}\n"
        "tables: {table1: {datasets: [tiny], methods: [copy]}}\n"
    )
    shutil.rmtree(site.folder / "results" / "benchmark")
    manifest_path(site.plan.results.recipe("tiny")).unlink()
    refused(site, submission, "faust is not there", "data/raw/faust/")


# 9: what does not belong into one row


def seeds(submission, tmp_path):
    for seed in (0, 1):
        shutil.copytree(submission, tmp_path / "both" / f"seed{seed}")
    return tmp_path / "both"


def refused_seeds(site, folder, *words):
    for seed in folder.iterdir():
        sign(seed)
    said = site.repose("submit", "score", folder)
    assert isinstance(said.exception, ReposeError), said.output
    assert all(word in str(said.exception) for word in words), said.exception


def test_two_lists_in_one_row(site, submission, tmp_path):
    folder = seeds(submission, tmp_path)
    fill_card(folder / "seed1", list__name="one-source")
    refused_seeds(site, folder, "is of another list", "seed1")


def test_two_tracks_in_one_row(site, submission, tmp_path):
    folder = seeds(submission, tmp_path)
    fill_card(folder / "seed1", track="K")
    refused_seeds(site, folder, "track is not that of the other seeds", "seed1")


def test_two_methods_in_one_row(site, submission, tmp_path):
    folder = seeds(submission, tmp_path)
    fill_card(folder / "seed1", method__version="2.0")
    refused_seeds(site, folder, "method is not that of the other seeds", "seed1")


# 10: options


@pytest.mark.parametrize("key", ["metrics", "centring", "scaling", "subset"])
def test_options_of_metrics(site, submission, key):
    fill_card(submission, **{key: "mine"})
    refused(site, submission, f"unknown key '{key}'", "metrics have no options")
