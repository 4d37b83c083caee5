import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from repose.provenance import owner as owner_module
from repose.provenance.listing import fingerprint
from repose.provenance.manifest import (
    Recorder,
    _canonical,
    _digest,
    history_path,
    manifest_path,
    verify,
)
from repose.provenance.owner import Owner, holder, mark, owners, results_folder
from repose.provenance.process import Process
from repose.provenance.publish import publish, write_text


@pytest.fixture
def results(tmp_path):
    """A folder of results as the workflow makes it, with one input."""
    mark(tmp_path / "results")
    folder = tmp_path / "results"
    write_text(folder / "data" / "raw.npz", "raw")
    Recorder("raw", "c0de", {}).seal(folder / "data" / "raw.manifest.json", [folder / "data" / "raw.npz"])
    return folder


def train(results, steps=3, code="c0de", keep=1):
    """A stage with a file and a folder; returns whether it worked, and the manifest."""
    out = results / "runs" / "seed0" / "model.bin"
    recorder = Recorder("train", code, {"steps": steps}, 0)
    recorder.uses("raw", results / "data" / "raw.manifest.json")
    manifest = manifest_path(out)
    if recorder.reuse(manifest, keep):
        return False, manifest
    write_text(out, f"weights of {steps} steps, {time.time_ns()}")
    folder = out.with_name("store.zarr")
    with publish(folder) as private:
        (private / "c").mkdir(parents=True)
        (private / "c" / "0").write_text(f"{steps}")
    recorder.seal(manifest, [out, folder])
    return True, manifest


def forget(manifest):
    """What snakemake does before a job: it deletes the outputs it knows of."""
    for name in verify(manifest).content["files"]:
        subprocess.run(["rm", "-r", manifest.parent / name], check=True)
    manifest.unlink()


@pytest.mark.parametrize("forced", [["train"], ["*"], ["runs/seed0/store.zarr"]])
def test_what_the_user_forces_is_made_again_and_kept_anew(results, monkeypatch, forced):
    monkeypatch.chdir(results)
    _, manifest = train(results)
    before = verify(manifest).digest
    monkeypatch.setenv("REPOSE_FORCED", '["score", "runs/seed1/model.bin"]')
    assert not train(results)[0]
    monkeypatch.setenv("REPOSE_FORCED", json.dumps(forced))
    assert train(results)[0]
    after = verify(manifest).digest
    monkeypatch.delenv("REPOSE_FORCED")
    assert not train(results)[0] and verify(manifest).digest == after != before


def test_a_planned_job_with_equal_inputs_gets_its_finished_result_back(results):
    worked, manifest = train(results)
    before = verify(manifest)
    forget(manifest)
    again, _ = train(results)
    assert worked and not again
    assert verify(manifest) == before, "bytes and history are those of the first time"


@pytest.mark.parametrize("change", [{"steps": 4}, {"code": "other"}])
def test_another_setting_or_code_works_again(results, change):
    _, manifest = train(results)
    forget(manifest)
    assert train(results, **change)[0]


def test_another_input_works_again(results):
    _, manifest = train(results)
    forget(manifest)
    write_text(results / "data" / "raw.npz", "other")
    Recorder("raw", "c0de", {}).seal(results / "data" / "raw.manifest.json", [results / "data" / "raw.npz"])
    assert train(results)[0]


def test_a_kept_result_that_was_damaged_is_made_again(results, capsys):
    _, manifest = train(results)
    with (manifest.parent / "model.bin").open("a") as model:
        model.write("!")  # in place: the kept file is the same file
    manifest.unlink()
    assert train(results)[0] and "damaged" in capsys.readouterr().out
    verify(manifest)


def test_a_planted_result_that_names_a_file_elsewhere_writes_nothing_there(results, tmp_path, capsys):
    """Whoever plants one signs its manifest anew, and lays the file where its name leads from the kept result."""
    _, manifest = train(results)
    (entry,) = (results / ".cache" / "runs" / "seed0" / "model").iterdir()
    victim, climb = tmp_path / "victim", "../../../victim"
    assert (manifest.parent / climb).resolve() == victim
    victim.write_text("mine")
    (entry / climb).write_text("planted")
    planted = entry / manifest.name
    content, history = (json.loads(path.read_text()) for path in (planted, history_path(planted)))
    content["files"][climb] = fingerprint(entry / climb).stated
    history["content"] = _digest(content)
    history["sha256"] = _digest({k: v for k, v in history.items() if k != "sha256"})
    forget(manifest)
    for path, value in ((planted, content), (history_path(planted), history)):
        path.write_text(_canonical(value))
    assert train(results)[0] and victim.read_text() == "mine"
    assert "is not inside its folder" in capsys.readouterr().out


@pytest.mark.parametrize(("keep", "worked"), [(1, True), (2, False)])
def test_as_many_results_are_kept_as_asked_for(results, keep, worked):
    for steps in (1, 2):
        _, manifest = train(results, steps, keep=keep)
    assert len(list((results / ".cache" / "runs" / "seed0" / "model").iterdir())) == keep
    forget(manifest)
    assert train(results, 1, keep=keep)[0] == worked


def test_a_result_in_its_place_costs_no_disk_twice(results):
    _, manifest = train(results)
    for name in ("model.bin", "store.zarr/c/0"):
        assert (manifest.parent / name).stat().st_nlink == 2


def test_nothing_is_kept_or_locked_outside_a_folder_of_results(tmp_path):
    (tmp_path / "data").mkdir()
    write_text(tmp_path / "data" / "raw.npz", "raw")
    Recorder("raw", "", {}).seal(tmp_path / "data" / "raw.manifest.json", [tmp_path / "data" / "raw.npz"])
    assert results_folder(tmp_path / "data" / "raw.npz") is None
    train(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "runs"]


WRITER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from repose.provenance.manifest import Recorder
    from repose.provenance.publish import write_text
    results, name = Path(sys.argv[1]), sys.argv[2]
    out, twin = (results / "runs" / f for f in ("model.bin", "twin.bin"))
    recorder = Recorder("train", name, {})  # of different code, so that none can use the other's
    recorder.reuse(results / "runs" / "model.manifest.json")
    write_text(out, name)
    print("half", flush=True)
    if name == "stuck":
        time.sleep(600)
    time.sleep(0.3)
    write_text(twin, name)
    recorder.seal(results / "runs" / "model.manifest.json", [out, twin])
""")


def start(results, name):
    command = [sys.executable, "-c", WRITER, str(results), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_writers_of_one_artefact_never_mix(results):
    writers = [start(results, name) for name in ("first", "second", "third")]
    said = [w.communicate(timeout=60)[1] for w in writers]
    assert [w.returncode for w in writers] == [0, 0, 0], said
    assert sum("waiting" in text and "process" in text for text in said) >= 1
    manifest = results / "runs" / "model.manifest.json"
    made = json.loads(history_path(manifest).read_text())["code"]
    verify(manifest)
    assert {(results / "runs" / f).read_text() for f in ("model.bin", "twin.bin")} == {made}
    assert list((results / ".state" / "owners").iterdir()) == [], "all have let go"


def test_a_killed_writer_lets_the_next_one_in(results):
    stuck = start(results, "stuck")
    assert stuck.stdout and stuck.stdout.readline() == "half\n"
    (file,) = (results / ".state" / "owners").iterdir()
    noted = holder(file)
    assert noted and noted.pid == stuck.pid and noted.alive and noted.is_here
    stuck.send_signal(signal.SIGKILL)
    stuck.wait()
    assert not noted.alive
    owner = Owner(owners(results) / "runs:model", "runs/model")
    mine = holder(file)
    assert mine and mine.pid == os.getpid()
    owner.release()
    stuck.communicate()


def test_a_lock_whose_file_is_removed_at_any_moment_is_asked_for_again(results, monkeypatch):
    """Who lets go removes the file, which may be between its opening, its locking and the look at it."""
    file, locked = owners(results) / "runs:model", owner_module.try_lock
    removed = []

    def gone_at_first(handle):
        if not removed:
            removed.append(file.unlink())
        return locked(handle)

    monkeypatch.setattr(owner_module, "try_lock", gone_at_first)
    owner = Owner(file, "runs/model")
    assert removed and holder(file) == Process.current()
    owner.release()


def test_a_process_id_that_is_used_again_is_another_process():
    me = Process.current()
    assert me.alive and not Process(me.host, me.pid, me.started - 100).alive
