"""What a user supplied: hashed once, the same after a touch, different after any change."""

import os
import pickle

import pytest

from repose.errors import ReposeError
from repose.raw.hashes import Hashes
from repose.raw.inventory import Inventory, RawFile, digest_of, files_in
from repose.raw.registry import installed


def supply(folder, number: int, content: bytes, seconds: int = 1_000_000_000):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"tr_reg_{number:03}.ply"
    path.write_bytes(content)
    os.utime(path, (seconds, seconds))
    return path


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """As if every file had been written a minute ago."""
    monkeypatch.setattr("repose.raw.hashes.SETTLED_NS", -60_000_000_000)


@pytest.fixture
def digest(tmp_path):
    faust = installed()["faust"](source="faust", folder=str(tmp_path / "in"))
    return lambda: digest_of(faust, tmp_path / "out" / ".raw-hashes.json")


def test_a_touch_is_no_change_and_an_edit_is(tmp_path, digest):
    nothing = digest()
    path = supply(tmp_path / "in", 1, b"one")
    first = digest()
    assert first != nothing
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert digest() == first
    (tmp_path / "in" / "README.txt").write_text("not a registration")
    assert digest() == first
    supply(tmp_path / "in", 1, b"two")  # same size and time as before the touch
    assert digest() != first
    supply(tmp_path / "in", 2, b"two")
    both = digest()
    (tmp_path / "in" / "tr_reg_002.ply").rename(tmp_path / "in" / "tr_reg_003.ply")
    assert digest() not in (first, both)


def test_what_is_gone_counts_as_it_was(tmp_path, digest):
    path = supply(tmp_path / "in", 1, b"one")
    first = digest()
    path.unlink()
    assert digest() == first == digest()
    supply(tmp_path / "in", 2, b"one")
    assert digest() != first


def test_a_file_is_read_once(tmp_path, monkeypatch):
    supply(tmp_path / "in", 1, b"one")
    hashes = Hashes(tmp_path / "in", tmp_path / "memory.json")
    before = hashes.sha256("tr_reg_001.ply")
    hashes.keep()
    monkeypatch.setattr("hashlib.file_digest", None)
    assert Hashes(tmp_path / "in", tmp_path / "memory.json").sha256("tr_reg_001.ply") == before
    with pytest.raises(TypeError):
        Hashes(tmp_path, tmp_path / "memory.json").sha256("in/tr_reg_001.ply")  # another folder


def test_a_file_that_was_just_written_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("repose.raw.hashes.SETTLED_NS", 60_000_000_000)
    path = tmp_path / "tr_reg_001.ply"
    path.write_bytes(b"one")
    hashes = Hashes(tmp_path, tmp_path / "memory.json")
    before = hashes.sha256("tr_reg_001.ply")
    status = path.stat()
    monkeypatch.setattr("repose.raw.hashes._status", lambda _: status)  # a coarse clock
    path.write_bytes(b"two")
    assert hashes.sha256("tr_reg_001.ply") != before


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"format": "repose.raw-hashes/1", "folder": 1, "files": 3}']
)
def test_a_damaged_memory_is_made_again(content, tmp_path, digest):
    supply(tmp_path / "in", 1, b"one")
    first = digest()
    (tmp_path / "out" / ".raw-hashes.json").write_text(content)
    assert digest() == first


def test_a_pipe_among_the_files_is_refused(tmp_path, digest):
    (tmp_path / "in").mkdir()
    os.mkfifo(tmp_path / "in" / "tr_reg_001.ply")
    with pytest.raises(ReposeError, match="not a regular file"):
        digest()


def test_links_to_folders_are_followed_once(tmp_path):
    supply(tmp_path / "disk", 1, b"one")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "faust").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "loop").symlink_to(tmp_path / "disk")
    assert list(files_in(tmp_path / "in")) == ["faust/tr_reg_001.ply"]


def test_an_inventory_survives_and_a_torn_one_is_refused(tmp_path):
    inventory = Inventory(tmp_path, (RawFile("a/b.ply", 3, "00"),))
    inventory.write(tmp_path / "raw.json")
    assert Inventory.read(tmp_path / "raw.json") == inventory == pickle.loads(pickle.dumps(inventory))
    text = (tmp_path / "raw.json").read_text()
    for damaged in (text[:-5], "{}", "[]", text.replace("raw-files/1", "raw-files/9")):
        (tmp_path / "raw.json").write_text(damaged)
        with pytest.raises(ReposeError, match="not an inventory|not JSON"):
            Inventory.read(tmp_path / "raw.json")
    with pytest.raises(ReposeError, match="no inventory"):
        Inventory.read(tmp_path / "none.json")


def test_a_path_that_is_not_utf_8_is_listed_and_written(tmp_path):
    place = os.fsencode(tmp_path) + b"/raw/\xfe"
    os.makedirs(place)
    with open(place + b"/a.ply", "w") as file:
        file.write("x")
    (name,) = files_in(tmp_path / "raw")
    Inventory(tmp_path / "raw", (RawFile(name, 1, "0f"),)).write(tmp_path / "raw.json")
    (listed,) = Inventory.read(tmp_path / "raw.json").files
    assert os.fsencode(listed.path) == b"\xfe/a.ply" and (tmp_path / "raw" / listed.path).read_text() == "x"
