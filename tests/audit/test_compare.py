"""`repose compare` on what is no pair of sound results: one line, which says what."""

import pytest
from chain import Chain

from repose.audit.compare import compare
from repose.errors import ReposeError


@pytest.fixture
def pair(tmp_path):
    return [Chain(tmp_path / name) for name in ("a", "b")]


def test_results_made_in_the_same_way_have_the_same_numbers(pair):
    found = compare(*(chain.results.root for chain in pair))
    assert found.differences == found.numbers == [] and found.alike == 18


@pytest.mark.parametrize("change", [lambda b: b + b"x\n", lambda b: b"", lambda b: b"hello", lambda b: b"\xff\0",
                                    lambda b: b.replace(b"1.5", b"1.4")])  # fmt: skip
@pytest.mark.parametrize("which", [0, 1])
def test_a_table_that_is_not_what_its_manifest_says_is_refused(pair, change, which):
    table = pair[which].table
    table.write_bytes(change(table.read_bytes()))
    with pytest.raises(ReposeError, match=r"table1\.csv does not match its manifest \(hint: remove") as error:
        compare(*(chain.results.root for chain in pair))
    assert str(error.value).startswith(str(table))


def test_a_folder_that_is_not_there_is_named(pair, tmp_path):
    with pytest.raises(ReposeError, match=r"nowhere: no such folder \(hint: give two folders of results"):
        compare(pair[0].results.root, tmp_path / "nowhere")
