"""Tables and arrays of others: a few bytes that stand for gigabytes are refused before they are read."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repose.convert.catalog import read_catalog
from repose.convert.image_catalog import COLUMNS, read_image_catalog
from repose.errors import ReposeError
from repose.reading import read_npy, read_npz, read_rows


def test_a_table_is_read_as_pandas_reads_it(tmp_path):
    rows = pd.DataFrame(
        {"a": ["x", "y", None], "b": [1.5, np.nan, 2], "c": [True, False, True], "d": [1, 2, 3]}
    )
    rows["e"] = rows.a.astype("category")
    rows.to_parquet(tmp_path / "a.parquet", index=False)
    pd.testing.assert_frame_equal(read_rows(tmp_path / "a.parquet"), pd.read_parquet(tmp_path / "a.parquet"))


def equal_texts() -> pa.Table:
    """100 GB in 11 kB."""
    return pa.table(
        {"mesh_id": pa.DictionaryArray.from_arrays(pa.array([0] * 900_000, pa.int32()), ["y" * 100_000])}
    )


def nested() -> pa.Table:
    return pa.table({"mesh_id": pa.array([[["x"]]])})


BOMBS = {
    "equal texts": (equal_texts, "90000000000 bytes of text"),
    "zeros": (
        lambda: pa.table({f"c{k}": np.zeros(1_400_000) for k in range(100)}),
        "1400000 rows of 100 columns",
    ),
    "empty texts": (
        lambda: pa.table({f"c{k}": pa.repeat("", 1_000_000) for k in range(18)}),
        "1000000 rows of 18 columns",
    ),
    "columns": (lambda: pa.table({f"c{k}": [0] for k in range(11)}), "1 rows of 11 columns"),
    "lists": (nested, "column 'mesh_id' is neither of numbers nor of text"),
    "wide bytes": (lambda: pa.table({"a": pa.array([b"x"], pa.binary(1))}), "'a' is neither"),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("read", [read_rows, read_catalog, read_image_catalog])
def test_what_stands_for_gigabytes_is_one_line(tmp_path, monkeypatch, name, read):
    make, says = BOMBS[name]
    if name == "columns":
        monkeypatch.setattr("repose.reading.MAX_COLUMNS", 10)  # so many as are refused take long to write
    for schema in (True, False):  # whether the file says that its texts are a dictionary
        pq.write_table(make(), tmp_path / "a.parquet", store_schema=schema)
        with pytest.raises(ReposeError, match=says):
            read(tmp_path / "a.parquet")


def test_a_catalogue_of_a_million_meshes_is_within_the_bounds(tmp_path):
    """Only its measures are of as many kinds as those of issue 22; they are all that costs, besides texts."""
    count = 1_000_000
    names = pa.array([f"id{k // 1000}_{k % 1000}" for k in range(count)])
    table = {"mesh_id": names, "sha256": pa.repeat("0" * 64, count), "source": pa.repeat("s" * 60, count)}
    table |= {"licence": pa.repeat("research only", count)}
    table |= {f"measure{k}": pa.repeat(0.5, count) for k in range(18)}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    rows = read_rows(tmp_path / "a.parquet")
    assert rows.shape == (count, 22) and rows.mesh_id.iloc[-1] == "id999_999"


@pytest.mark.parametrize("content", [b"", b"PAR1" + bytes(100) + b"PAR1"])
def test_what_is_no_table_is_one_line(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    for read in (read_rows, read_catalog, read_image_catalog):
        with pytest.raises(ReposeError, match="not a"):
            read(tmp_path / "a.parquet")


def test_a_catalogue_has_its_columns_and_each_name_once(tmp_path):
    rows = pd.DataFrame({column: ["id0_0", "id0_0"] for column in COLUMNS})
    for table, says in (
        (rows.drop(columns="sha256"), r"no column 'sha256' \(hint: run `repose convert` again"),
        (rows, "image_id id0_0 is given twice"),
    ):
        table.to_parquet(tmp_path / "a.parquet")
        with pytest.raises(ReposeError, match=says):
            read_image_catalog(tmp_path / "a.parquet")


def test_arrays_are_read_as_numpy_reads_them(tmp_path):
    arrays = {
        "a": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "b": np.array(["x", "yz"]),
        "c": np.array(7, ">i2"),
        "d": np.zeros((0, 3), bool),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        found = read_npz(tmp_path / "a.npz")
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            assert np.array_equal(found[name], array) and found[name].dtype == array.dtype
        assert list(read_npz(tmp_path / "a.npz", names=["c", "other"])) == ["c"]
    found["a"][0, 0] = 5  # they are the reader's own
    np.save(tmp_path / "a.npy", arrays["a"])
    assert np.array_equal(read_npy(tmp_path / "a.npy"), arrays["a"])


def packed(
    content: bytes, method: int = zipfile.ZIP_DEFLATED, said: int | None = None, count: int = 1
) -> bytes:
    """An archive of arrays, each said to have another size."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for k in range(count):
            archive.writestr(f"a{k}.npy", content)
    size = struct.pack("<I", len(content))
    return out.getvalue().replace(size, size if said is None else struct.pack("<I", said))


def array(values: object) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


HOSTILE = {
    "zeros": (lambda: packed(array(np.zeros(1 << 22))), "a0 unpacks to 33554560 bytes: a bomb"),
    "a lie": (lambda: packed(array(np.zeros(1 << 24)), said=99_999), "not a .npz of plain arrays: Bad CRC"),
    "bzip2": (lambda: packed(array(np.zeros(1 << 22)), zipfile.ZIP_BZIP2, 200), "a0 is packed by method 12"),
    "lzma": (lambda: packed(array(np.zeros(1 << 22)), zipfile.ZIP_LZMA, 200), "a0 is packed by method 14"),
    "members": (lambda: packed(b"", count=1001), "more than 1000 members"),
    "together": (
        lambda: packed(array(np.arange(1000)), zipfile.ZIP_STORED, count=200),
        "its arrays have more than 1000000 bytes",
    ),
    "too long": (lambda: bytes(1_000_000 + (1 << 20) + 1), "is more than the limit"),
    "objects": (lambda: packed(array(np.array([{}], object))), "values of type object"),
    "empty texts": (
        lambda: packed(array(np.zeros(1)).replace(b"'<f8'", b"'<U0'").replace(b"(1,)", b"(9,)")[:-8]),
        "values of type <U0",
    ),
    "twice": (
        lambda: packed(array(np.arange(3)), zipfile.ZIP_STORED, count=2).replace(b"a1.npy", b"a0.npy"),
        "a name is there twice",
    ),
    "no zip": (lambda: b"PK nonsense", "not a .npz of plain arrays"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_npz_that_stands_for_more_is_one_line_and_costs_little(tmp_path, name):
    make, says = HOSTILE[name]
    (tmp_path / "a.npz").write_bytes(make())
    tracemalloc.start()
    with pytest.raises(ReposeError, match=says):
        read_npz(tmp_path / "a.npz", limit=(40 << 20) if name == "zeros" else 1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_npy_that_says_it_is_larger_is_one_line(tmp_path):
    (tmp_path / "a.npy").write_bytes(array(np.zeros((3, 3))).replace(b"(3, 3)", b"(3, 9)"))
    with pytest.raises(
        ReposeError, match="a.npy: not a .npy of a plain array: its header does not fit its bytes"
    ):
        read_npy(tmp_path / "a.npy")
