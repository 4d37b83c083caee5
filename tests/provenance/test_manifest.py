import json
import shutil

import pytest

from repose.errors import ReposeError
from repose.provenance.manifest import (
    Recorder,
    _digest,
    check_link,
    history_path,
    load,
    manifest_path,
    verify,
)
from repose.provenance.owner import mark
from repose.provenance.stated import stated


@pytest.fixture
def sealed(tmp_path):
    return seal(tmp_path / "a", "payload")


def seal(folder, text, seed=0, parent=None):
    folder.mkdir(exist_ok=True)
    artefact = folder / "data.bin"
    artefact.write_text(text)
    recorder = Recorder("store", "c0de", {"k": 1}, seed)
    if parent:
        recorder.uses("parent", parent.path)
    return recorder.seal(manifest_path(artefact), [artefact], {"rows": 1})


def test_equal_results_have_equal_content_whatever_their_history(sealed, tmp_path):
    again = seal(tmp_path / "b", "payload", seed=7)
    assert again.path.read_bytes() == sealed.path.read_bytes()
    assert again.digest == sealed.digest
    assert json.loads(history_path(again.path).read_text())["seed"] == 7


@pytest.mark.parametrize(
    "damage",
    [
        lambda m: (m.path.parent / "data.bin").write_text("Payload"),
        lambda m: (m.path.parent / "data.bin").write_text("payload+"),
        lambda m: (m.path.parent / "data.bin").unlink(),
        lambda m: m.path.unlink(),
        lambda m: m.path.write_text("{"),
        lambda m: m.path.write_text("[]"),
        lambda m: history_path(m.path).unlink(),
        lambda m: m.path.write_text(m.path.read_text().replace('"format": 3', '"format": 99')),
    ],
)
def test_whatever_does_not_match_is_refused(sealed, damage):
    assert verify(sealed.path).digest == sealed.digest
    damage(sealed)
    with pytest.raises(ReposeError, match="hint"):
        verify(sealed.path)


def test_directories_are_hashed_by_names_and_bytes(tmp_path):
    store = tmp_path / "x.zarr"
    (store / "c").mkdir(parents=True)
    (store / "c" / "0").write_bytes(b"00")
    manifest = Recorder("store", "", {}).seal(manifest_path(store), [store])
    (store / ".snakemake_timestamp").touch()
    assert verify(manifest.path).digest == manifest.digest, "snakemake's own file must not count"
    (store / "c" / "0").rename(store / "c" / "1")
    with pytest.raises(ReposeError, match="does not match"):
        verify(manifest.path)


def test_a_child_of_another_parent_is_refused(sealed, tmp_path):
    child = seal(tmp_path / "child", "child", parent=sealed)
    check_link(load(child.path), "parent", sealed)
    other = seal(tmp_path / "other", "other payload")
    with pytest.raises(ReposeError, match="another parent"):
        check_link(load(child.path), "parent", other)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside", "a/../../b", "", "./data.bin"])
def test_names_that_lead_out_of_the_folder_are_refused(sealed, name):
    content = json.loads(sealed.path.read_text())
    content["files"] = {name: content["files"]["data.bin"]}
    sealed.path.write_text(json.dumps(content))
    with pytest.raises(ReposeError, match="not inside its folder"):
        load(sealed.path)


def test_links_and_empty_folders_in_an_artefact_are_seen(tmp_path):
    store = tmp_path / "store.zarr"
    store.mkdir()
    (store / "zarr.json").write_text("{}")
    manifest = Recorder("store", "", {}).seal(manifest_path(store), [store])
    (store / "c").mkdir()
    with pytest.raises(ReposeError, match="does not match its manifest"):
        verify(manifest.path)
    (store / "c").rmdir()
    (store / "zarr.json").rename(tmp_path / "elsewhere.json")
    (store / "zarr.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ReposeError, match="no links"):
        verify(manifest.path)


def test_an_artefact_that_was_copied_to_the_place_of_another_is_refused(tmp_path):
    mark(tmp_path)
    own, other = tmp_path / "runs" / "npt", tmp_path / "runs" / "npt2"
    own.mkdir(parents=True)
    (own / "model.bin").write_text("weights")
    Recorder("train", "c0de", {}).seal(own / "model.manifest.json", [own / "model.bin"])
    shutil.copytree(own, other)
    assert verify(own / "model.manifest.json").content["place"] == "runs/npt/model"
    with pytest.raises(ReposeError, match="is runs/npt/model, and lies at runs/npt2/model"):
        verify(other / "model.manifest.json")


def test_what_is_made_again_remembers_its_former_histories(tmp_path):
    def made(code):
        recorder = Recorder("store", code, {})
        return recorder.seal(tmp_path / "a.manifest.json", [tmp_path / "a.bin"]).history

    (tmp_path / "a.bin").write_text("same")
    first, second = made("one"), made("two")
    assert second["former"] == [first["sha256"]] and made("two")["former"] == [
        first["sha256"],
        second["sha256"],
    ]
    (tmp_path / "a.bin").write_text("other")
    other = made("two")
    assert other["former"][:2] == [first["sha256"], second["sha256"]]
    (tmp_path / "a.bin").write_text("same")
    assert other["sha256"] in made("one")["former"], "other data in between are no loss of memory"


def test_a_kept_result_comes_back_after_the_histories_of_its_place(tmp_path):
    results = tmp_path / "results"
    mark(results)
    artefact = results / "a.bin"

    def made(text):
        recorder = Recorder("store", "c0de", {"text": text})
        if not recorder.reuse(artefact.with_name("a.manifest.json"), keep=2):
            artefact.write_text(text)
            recorder.seal(artefact.with_name("a.manifest.json"), [artefact])
        return verify(artefact.with_name("a.manifest.json")).history

    first, second = made("one"), made("two")
    assert made("two") == second, "what is in its place stays as it is"
    back = made("one")
    assert artefact.read_text() == "one" and {first["sha256"], second["sha256"]} <= set(back["former"])
    assert made("one") == back


def test_of_a_manifest_without_lists_files_hold_and_folders_are_made_again(tmp_path):
    (tmp_path / "x.zarr").mkdir()
    for name in ("x.bin", "x.zarr/zarr.json"):
        (tmp_path / name).write_text("{}")
    for artefact in ("x.bin", "x.zarr"):
        sealed = Recorder("store", "", {}).seal(tmp_path / "x.manifest.json", [tmp_path / artefact])
        content, history = sealed.content | {"format": 2}, dict(sealed.history)
        content["files"] = {artefact: {k: v for k, v in content["files"][artefact].items() if k != "list"}}
        history["content"] = _digest(content)
        history["sha256"] = _digest({k: v for k, v in history.items() if k != "sha256"})
        sealed.path.write_text(json.dumps(content))
        history_path(sealed.path).write_text(json.dumps(history))
        if artefact == "x.bin":
            assert verify(sealed.path).content == content
    for refused in (lambda: verify(sealed.path), lambda: stated(tmp_path / "x.zarr")):
        with pytest.raises(ReposeError, match=r"list.* \(hint: run the workflow again"):
            refused()
