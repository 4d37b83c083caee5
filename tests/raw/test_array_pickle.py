"""Pickles with arrays, as NumPy wrote them under Python 2."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import ReposeError
from repose.raw.array_pickle import read_array_pickle
from repose.raw.plain_pickle import read_plain_pickle


def array_of(numbers, code="<i8") -> bytes:
    """Opcodes of an array as cPickle of Python 2 writes it, protocol 2."""
    raw = np.array(numbers, code).tobytes()
    name, order = code[1:].encode(), code[:1].encode()
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K%c\x85"
        b"cnumpy\ndtype\nU\x02%sK\x00K\x01\x87R(K\x03U\x01%sNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        % (len(numbers), name, order)
    ) + len(raw).to_bytes(4, "little") + raw + b"tb"  # fmt: skip


def labels_of(rows) -> bytes:
    """A whole file: {"label": {image: array}, "entry": [names]}."""
    images = b"".join(b"U%c%s" % (len(k), k.encode()) + array_of(row) for k, row in rows.items())
    return b"\x80\x02}(U\x05label}(" + images + b"uU\x05entry](U\x03redU\x04blueeu."


@pytest.mark.parametrize("code", ["<i8", ">i4", "|u1", "<i2"])
def test_arrays_are_read_as_numpy_reads_them(tmp_path, code):
    written = b"\x80\x02" + array_of([0, 1, 7], code) + b"."
    (tmp_path / "a.pkl").write_bytes(written)
    with warnings.catch_warnings(action="ignore"):  # NumPy has moved the module since
        truth = pickle.loads(written, encoding="latin1")
    assert read_array_pickle(tmp_path / "a.pkl") == truth.tolist() == [0, 1, 7]


def test_a_file_of_labels_is_read(tmp_path):
    (tmp_path / "a.pkl").write_bytes(labels_of({"x": [0, 1], "y": [1, 1]}))
    content = read_array_pickle(tmp_path / "a.pkl")
    assert content == {"label": {"x": [0, 1], "y": [1, 1]}, "entry": ["red", "blue"]}
    with pytest.raises(ReposeError, match="asks for GLOBAL"):
        read_plain_pickle(tmp_path / "a.pkl")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"cnumpy.core.multiarray\n_reconstruct", b"cos\nmkdir"),
        (b"cnumpy\nndarray", b"cnumpy\nmatrix"),
        (b"cnumpy\ndtype\nU\x02i8", b"cnumpy\ndtype\nU\x02O8"),
        (b"cnumpy\ndtype\nU\x02i8", b"cnumpy\ndtype\nU\x02f8"),
        (b"U\x01<NNN", b"U\x01=NNN"),
        (b"(K\x01K\x02\x85", b"(K\x01K\x03\x85"),
        (b"K\x00\x85U\x01b", b"K\x05\x85U\x01b"),
    ],
)
def test_anything_else_is_refused(tmp_path, old, new):
    written = b"\x80\x02" + array_of([0, 1]) + b"."
    assert old in written
    (tmp_path / "a.pkl").write_bytes(written.replace(old, new))
    with pytest.raises(ReposeError, match="refused|not a pickle of plain data"):
        read_array_pickle(tmp_path / "a.pkl")


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_file_gives_plain_data_or_an_error(tmp_path_factory, edits):
    content = bytearray(labels_of({"x": [0, 1], "y": [1, 1]}))
    for place, byte in edits:
        content[place % len(content)] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.pkl"
    path.write_bytes(content)
    try:
        repr(read_array_pickle(path))
    except ReposeError as error:
        assert error.where == path
