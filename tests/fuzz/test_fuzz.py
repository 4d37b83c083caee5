"""Every reader: sound files are read, 100 damaged ones and all that once did harm end in a result or one line."""

from pathlib import Path

import pytest
from fuzz.campaign import drawn, outcome_of, run
from fuzz.readers import READERS

KEPT = Path(__file__).parent / "kept"


@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_foreign_files_ends_in_a_result_or_one_line(name, tmp_path):
    reader = READERS[name]
    seeds = reader.seeds(tmp_path)
    refused = [k for k, data in enumerate(seeds) if outcome_of(reader, data, tmp_path) != "result"]
    assert not refused or name in ("lists", "config"), f"sound files {refused} are refused"
    kept = [path.read_bytes() for path in sorted((KEPT / name).glob("*"))]
    found = run(reader, [*kept, *drawn(reader, seeds, 100, "test")], tmp_path)
    assert not found.smallest, found.counts
    assert found.counts.total() == 100 + len(kept) and found.counts["refused"] > 0


def test_what_a_reader_must_not_do_is_found(tmp_path):
    from dataclasses import replace

    def bad(data: bytes, folder: Path) -> None:
        import os
        import signal

        if data == b"dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        if data == b"grows":
            bytearray(64 << 30)
        if data == b"raises":
            raise KeyError("x")

    found = run(replace(READERS["obj"], read=bad), [b"fine", b"dies", b"raises", b"grows", b"fine"], tmp_path)
    assert found.counts["result"] == 2 and found.counts["dies of signal 11"] == 1
    assert {outcome.split()[0] for outcome in found.smallest} == {"dies", "KeyError", "MemoryError"}
