"""Arrays as Zarr stores them, read by rows within bounds."""

import json

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import ReposeError
from repose.provenance.stated import Stated
from repose.store.arrays import StoredArray, read_array
from repose.store.rows import MappedRows


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_any_rows_are_the_rows_of_the_array(tmp_path_factory, data):
    shape = tuple(data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)))
    chunks = tuple(data.draw(st.integers(1, n + 1)) for n in shape)
    kind = data.draw(st.sampled_from(["uint8", "int32", "float16", "float32", "float64"]))
    values = (np.random.default_rng(0).integers(0, 3, shape) % 3).astype(kind)  # some chunks are all zeros
    path = tmp_path_factory.mktemp("array") / "a"
    compressors = data.draw(st.sampled_from(["auto", None]))
    zarr.create_array(path, data=values, chunks=chunks, compressors=compressors)
    start, stop = data.draw(st.integers(0, shape[0])), data.draw(st.integers(0, shape[0] + 3))
    found = StoredArray(path, Stated(path, None)).rows(start, stop)
    assert found.dtype == values.dtype and np.array_equal(found, values[start : max(start, stop)])
    assert np.array_equal(read_array(path, Stated(path, None)), values)


@pytest.mark.parametrize(
    ("shape", "chunk"),
    [
        ([3, 60_000, 60_000], [1, 4, 4]),  # 7 GB of one row, in chunks that are not there
        ([3, 4, 4], [1, 60_000, 60_000]),  # a chunk that is decoded into 7 GB
        ([3, 4, 4], [1, 4]),
        ([3, 4], [1, 4, 4]),
    ],
)
def test_what_asks_for_gigabytes_is_one_line(tmp_path, shape, chunk):
    zarr.create_array(tmp_path / "a", data=np.ones((3, 4, 4), np.uint16), chunks=(1, 4, 4))
    meta = json.loads((tmp_path / "a" / "zarr.json").read_text())
    meta["shape"], meta["chunk_grid"]["configuration"]["chunk_shape"] = shape, chunk
    (tmp_path / "a" / "zarr.json").write_text(json.dumps(meta))
    with pytest.raises(ReposeError, match=r"a: not an array as repose stores it: its shape is \(3, "):
        StoredArray(tmp_path / "a", Stated(tmp_path, None)).rows(0, 1)


def test_a_damaged_chunk_is_one_line(tmp_path):
    zarr.create_array(tmp_path / "a", data=np.ones((4, 50)), chunks=(2, 50))
    (tmp_path / "a" / "c" / "1" / "0").write_bytes(b"(\xb5/\xfd nothing")
    array = StoredArray(tmp_path / "a", Stated(tmp_path, None))
    assert array.rows(0, 2).shape == (2, 50)
    with pytest.raises(ReposeError, match="a: not an array as repose stores it"):
        array.rows(1, 3)


def test_numbers_in_another_order_of_bytes_are_refused(tmp_path):
    zarr.create_array(tmp_path / "a", data=np.ones((2, 3), np.float32), compressors=None)
    meta = (tmp_path / "a" / "zarr.json").read_text()
    assert '"little"' in meta
    (tmp_path / "a" / "zarr.json").write_text(meta.replace('"little"', '"big"'))
    for read in (read_array, lambda path, files: MappedRows(path, files, "make it again")):
        with pytest.raises(ReposeError, match=r"a: not an array as repose stores it: .* in order big"):
            read(tmp_path / "a", Stated(tmp_path, None))
