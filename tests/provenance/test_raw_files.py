"""The audit reaches the files that a user brought, through the inventory of the raw stage."""

import hashlib

import pytest

from repose.audit.audit import audit
from repose.provenance.manifest import Recorder
from repose.raw.inventory import Inventory, RawFile


@pytest.fixture
def raw(tmp_path):
    brought, results = tmp_path / "brought", tmp_path / "results"
    brought.mkdir()
    results.mkdir()
    (brought / "a.ply").write_bytes(b"ply")
    listed = RawFile("a.ply", 3, hashlib.sha256(b"ply").hexdigest())
    Inventory(brought, (listed,)).write(results / "raw.json")
    Recorder("raw", "c0de", {}).seal(results / "raw.manifest.json", [results / "raw.json"])
    return brought / "a.ply", results / "raw.json"


def test_a_raw_file_that_changed_is_found(raw):
    brought, inventory = raw
    assert audit(inventory).faults == []
    brought.write_bytes(b"Ply")
    assert audit(inventory).faults == [("raw.manifest.json", "raw file a.ply is not the one that was read")]


def test_a_raw_file_that_is_gone_is_said(raw):
    brought, inventory = raw
    brought.unlink()
    found = audit(inventory)
    assert found.faults == [] and any("1 raw files are no longer in" in note for note in found.notes)
