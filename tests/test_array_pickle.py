"""Pickles of plain data and arrays are read as pickle reads them; whatever else a file asks for is refused, undone."""

import json
import os
import pickle
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix

from repose.array_pickle import MAX_STEPS, Record, parse_pickle, read_pickle
from repose.errors import ReposeError
from repose.raw.model_file import read_arrays

JOINTS = [[float(10 + k), float(20 + 2 * k)] for k in range(18)]
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(st.text(max_size=5) | st.integers(-(2**63), 2**63), inner, max_size=5)
    | st.tuples(inner, inner) | st.tuples(inner, inner, inner, inner),
    max_leaves=40,
)  # fmt: skip
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@settings(deadline=None, max_examples=300)
@given(PLAIN, st.integers(3, pickle.HIGHEST_PROTOCOL))
def test_plain_data_are_read_as_pickle_reads_them(value, protocol):
    assert parse_pickle(pickle.dumps(value, protocol), arrays=False) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "<i4", "<i8", "|u1", "|b1", "<f2"])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2), (5,), ()])
def test_arrays_are_read_as_pickle_reads_them(protocol, kind, shape):
    array = np.asarray(np.random.default_rng(0).normal(size=shape) * 50).astype(kind)
    for stored in (array, np.asfortranarray(array)):
        found = parse_pickle(pickle.dumps({"a": [stored, stored]}, protocol))["a"]
        assert all(
            type(f) is np.ndarray and f.dtype == stored.dtype and np.array_equal(f, stored) for f in found
        )


def test_python_2_strings_and_shared_lists_are_read():
    # {'a': [1L, 2.5], 'b': <the same list>} as cPickle of Python 2 writes it, protocol 2
    written = b"\x80\x02}q\x01(U\x01aq\x02]q\x03(\x8a\x01\x01G@\x04\x00\x00\x00\x00\x00\x00eU\x01bh\x03u."
    assert parse_pickle(written) == {"a": [1, 2.5], "b": [1, 2.5]} == pickle.loads(written)
    assert parse_pickle(b"(dp0\nS'a'\np1\n(lp2\nI1\naF2.5\nas.") == {"a": [1, 2.5]}


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"a": [x]}])
def test_a_pickle_that_acts_is_refused_before_it_does(protocol, wrap, tmp_path):
    written = pickle.dumps(wrap(Evil(tmp_path / "made")), protocol)
    with pytest.raises(ReposeError, match="refused: it asks for posix.mkdir"):
        parse_pickle(written)
    assert not (tmp_path / "made").exists()
    pickle.loads(written)
    assert (tmp_path / "made").exists(), "the pickle does act when it is run"


@pytest.mark.parametrize(
    "value", [{1, 2}, bytearray(b"x"), complex(1, 2), object, np.float64(1), np.matrix([[1]])]
)
def test_other_types_are_refused(value):
    with pytest.raises(ReposeError, match="refused"):
        parse_pickle(pickle.dumps(value, 4))
    with pytest.raises(ReposeError, match="refused: it asks for numpy"):
        parse_pickle(pickle.dumps(np.zeros(3), 4), arrays=False)


def literal(value) -> bytes:
    """A value as a part of a pickle."""
    return pickle.dumps(value, 3)[2:-1]


def called(name: str, *arguments: bytes) -> bytes:
    """numpy.NAME called on parts of a pickle."""
    return b"cnumpy\n" + name.encode() + b"\n(" + b"".join(arguments) + b"tR"


EIGHT = literal(False) + literal(b"A" * 8) + b"tb"  # the end of the state of an array
OBJECT = called("dtype", literal("O"))
LYING = OBJECT + literal((3, "|", None, None, None, -1, -1, 0)) + b"b"
BARE = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + literal((0,)) + literal(b"b") + b"tR"
FLOAT = called("dtype", literal("f4"))
HOSTILE = {
    "an array of any size from 4 bytes under strides of 0":
        called("ndarray", literal((10**5, 10**5)), literal("f4"), literal(bytes(4)), literal(0), literal((0, 0))),
    "memory that nobody wrote": called("ndarray", literal((300, 300)), literal("f4")),
    "a pointer of the attacker": called("ndarray", literal((1,)), literal("O"), literal(struct.pack("<Q", 0x4141))),
    "a pointer that is followed at once": called(
        "ndarray", called("ndarray", literal((1,)), literal("O"), literal(struct.pack("<Q", 0x4141)))
    ),
    "objects from a buffer": b"cnumpy.core.numeric\n_frombuffer\n("
        + literal(b"AAAAAAAA") + OBJECT + literal((1,)) + literal("C") + b"tR",
    "objects whose type lies": BARE + b"(" + literal(1) + literal((1,)) + LYING + EIGHT,
    "the type of all numbers changed for the process":
        FLOAT + literal((3, ">", None, ("a",), {"a": 1}, 8, 8, 0)) + b"b",
    "a shape that its bytes do not fill":
        BARE + b"(" + literal(1) + literal((60_000, 60_000)) + FLOAT + EIGHT,
    "a shape below zero": BARE + b"(" + literal(1) + literal((-1, -2)) + FLOAT + EIGHT,
    "an array that is built twice":
        BARE + b"(" + literal(1) + literal((2,)) + FLOAT + EIGHT + literal((1,)) + b"b",
    "an array of another class": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n"
        + literal((0,)) + literal(b"b") + b"tR",
    "the state of a name": b"cnumpy\ndtype\n" + literal((None, {"__defaults__": (1,)})) + b"b",
    "a key that takes for ever to hash": b"}N" + b"".join(b"q%ch%c\x86" % (k, k) for k in range(60)) + b"Ns",
    "numbers of one hash": b"}(" + b"".join(b"L%dL\nN" % (-(2**61 - 1) * (k + 20)) for k in range(40_000)) + b"u",
    "places of one hash": b"N" + b"".join(b"p-%d\n" % ((2**61 - 1) * (k + 1)) for k in range(40_000)),
    "one text that is a thousand arrays": literal("x" * 10**6)
        + b"q\1c_codecs\nencode\nq\2(" + b"h\2h\1X\6\0\0\0latin1\x86R" * 1000 + b"t",
    "the register of extensions": b"\x82\x01",
    "an object outside the file": b"Pfoo\n",
    "a name with dots": b"\x8c\x05numpy\x8c\x0endarray.tofile\x93",
    "nothing but marks": b"(" * 9,
    "a memory of 16 GB": b"Nr\xff\xff\xff\x7fh\x05",
    "a text of a terabyte": b"\x8e" + struct.pack("<Q", 2**40) + b"x",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_files_that_would_harm_the_process_are_one_line(name):
    start = time.process_time()
    with pytest.raises(ReposeError) as caught:
        parse_pickle(b"\x80\x03" + HOSTILE[name] + b".", "a.pkl")
    assert (
        str(caught.value).startswith("a.pkl: ")
        and "\n" not in str(caught.value)
        and len(str(caught.value)) < 400
    )
    assert time.process_time() - start < 5, "it ends by itself, not by a signal"
    assert np.dtype("f4").str == "<f4" and (np.arange(3, dtype="f4") + 1).tolist() == [1, 2, 3]


def test_steps_and_bytes_are_counted(tmp_path, monkeypatch):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02" + b"]" * 100 + b".")
    monkeypatch.setattr("repose.array_pickle.MAX_STEPS", 50)
    with pytest.raises(ReposeError, match="more than 50 steps"):
        read_pickle(tmp_path / "a.pkl")
    with pytest.raises(ReposeError, match="a.pkl: 103 bytes is more than the limit of 20"):
        read_pickle(tmp_path / "a.pkl", limit=20)
    with pytest.raises(ReposeError, match="no such file"):
        read_pickle(tmp_path / "b.pkl")
    assert MAX_STEPS > 52_712 * (347 + 4), "the released labels of attributes have so many"


@settings(deadline=None, max_examples=500)
@given(st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6))
def test_a_damaged_pickle_gives_plain_data_or_an_error(cut, edits):
    content = bytearray(pickle.dumps({"a.jpg": JOINTS, "b": [1, "x", None, (1, 2)], "c": np.ones((2, 2))}, 2))
    for place, byte in edits:
        content[place % len(content)] = byte
    try:
        value = parse_pickle(bytes(content[: cut % (2 * len(content))]))
    except ReposeError:
        return
    json.dumps(value, default=str, skipkeys=True)


class Ch:
    """As `chumpy.ch.Ch` pickles itself."""

    def __init__(self, x):
        self.x = x


Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"


def model(protocol, monkeypatch, **changes):
    """A body model as released: an array, a chumpy array and a sparse matrix; `changes` are of the latter's state."""
    import sys
    import types

    sparse = csc_matrix(np.eye(3))
    for name, value in changes.items():
        setattr(sparse, name, value)
    module = types.ModuleType("chumpy.ch")
    module.Ch = Ch
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return pickle.dumps(
        {"v_template": np.ones((4, 3)), "shapedirs": Ch(np.arange(6.0)), "J_regressor": sparse}, protocol
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_model_of_arrays_and_records_is_read(protocol, tmp_path, monkeypatch):
    (tmp_path / "m.pkl").write_bytes(model(protocol, monkeypatch))
    found = read_arrays(tmp_path / "m.pkl", ["v_template", "shapedirs", "J_regressor"])
    assert np.array_equal(found["v_template"], np.ones((4, 3))) and found["shapedirs"].tolist() == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]
    assert np.array_equal(found["J_regressor"], np.eye(3))


@pytest.mark.parametrize(
    "changes",
    [
        {"indices": np.array([0, 10**6, -(10**6)], np.int32)},
        {"indptr": np.array([0, 10**8, 10**8, 3], np.int32)},
        {"_shape": (2_000_000, 2_000)},
        {"_shape": (2**33, 2_000)},
        {"indices": np.zeros(3)},
        {"data": np.ones((3, 3))},
    ],
)
def test_a_sparse_matrix_that_points_outside_itself_is_refused(changes, tmp_path, monkeypatch):
    (tmp_path / "m.pkl").write_bytes(model(2, monkeypatch, **changes))
    with pytest.raises(ReposeError, match=r"m.pkl: J_regressor cannot be taken from its object"):
        read_arrays(tmp_path / "m.pkl", ["J_regressor"])


def test_an_npz_is_read_as_far_as_its_headers_fit(tmp_path):
    np.savez(tmp_path / "m.npz", v_template=np.asfortranarray(np.ones((4, 3))), other=np.array(["x"]))
    assert np.array_equal(read_arrays(tmp_path / "m.npz", ["v_template"])["v_template"], np.ones((4, 3)))
    with pytest.raises(ReposeError, match="other is not an array of numbers"):
        read_arrays(tmp_path / "m.npz", ["other"])
    content = (tmp_path / "m.npz").read_bytes()
    (tmp_path / "m.npz").write_bytes(content.replace(b"(4, 3)", b"(9, 3)"))
    with pytest.raises(ReposeError, match="not a .npz of plain arrays"):
        read_arrays(tmp_path / "m.npz", ["v_template"])


def test_an_npz_of_zeros_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(400_000))
    with pytest.raises(ReposeError, match="a unpacks to 3200128 bytes: a bomb?"):
        read_arrays(tmp_path / "a.npz", ["a"])
    np.savez(tmp_path / "b.npz", a=np.ones(100), b=np.ones(100))
    assert read_arrays(tmp_path / "b.npz", ["a", "b"])["b"].sum() == 100
    monkeypatch.setattr("repose.raw.model_file.MAX_BYTES", 1800)  # each fits, and both do not
    with pytest.raises(ReposeError, match="its arrays have more than 1800 bytes"):
        read_arrays(tmp_path / "b.npz", ["a", "b"])


def test_a_record_is_its_state_and_nothing_else():
    records = {"chumpy.ch.Ch": Record}
    made = b"\x80\x02cchumpy.ch\nCh\n)\x81}U\x01xK\x07sb."
    assert parse_pickle(made, records=records).state == {"x": 7}
    for wrong in (
        b"\x80\x02cchumpy.ch\nCh\nK\x01\x85\x81.",
        b"\x80\x02cchumpy.ch\nCh\n)R.",
        b"\x80\x02cchumpy.ch\nCh\n}b.",
    ):
        with pytest.raises(ReposeError, match="refused"):
            parse_pickle(wrong, records=records)
