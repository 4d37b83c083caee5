"""Read whole foreign files (text, tables and arrays) up to a stated size."""

import io
import json
import math
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repose.errors import ReposeError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

MAX_TEXT = 64 << 20
"""Bytes of a list or a description; parsed, they take up to 25 times that in memory."""
NUMBER, OBJECT = 8, 60
"""Bytes of a cell in memory: of a number, and of what becomes an object, besides its text."""
MAX_TABLE = 1 << 30
"""Bytes of all cells of a table: a million rows of 130 columns of numbers, or of 17 of text."""
MAX_COLUMNS = 10_000
MAX_CELL_TEXT = 512 << 20
"""Bytes of all text in a table."""
MAX_ARRAYS = 1 << 30
"""Bytes of all arrays of a file; their file may have `MAX_HEADERS` more."""
MAX_HEADERS = 1 << 20
MAX_MEMBERS = 1000
MAX_RATIO = 200
"""Bytes of an array for each in a `.npz`; the emptiest that are known, of regressors, shrink to a hundredth."""


def read_bytes(
    path: Path, limit: int, kind: type[ReposeError] = ReposeError, hint: str | None = None
) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises:
        ReposeError: an error of that `kind`: the file is missing (with the `hint`), unreadable, too large, or a folder,
            pipe or device.
    """
    try:
        status = path.stat()
        # A pipe or a device would block, or never end.
        if not stat.S_ISREG(status.st_mode):
            raise kind("not a regular file", path)
        if status.st_size > limit:
            raise kind(f"{status.st_size} bytes is more than the limit of {limit}", path)
        return path.read_bytes()
    except FileNotFoundError:
        raise kind("no such file", path, hint) from None
    except (OSError, ValueError) as error:  # a name with a null character raises ValueError
        raise kind(f"cannot read: {getattr(error, 'strerror', error)}", path) from None


def read_text(path: Path, limit: int = MAX_TEXT) -> str:
    """Return a text in UTF-8; raises as `read_bytes`, and if the file is not such a text."""
    return _text(read_bytes(path, limit), path)


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReposeError(f"not a text in UTF-8: byte {error.start}", path, "save it as UTF-8") from None


def read_json(path: Path, limit: int = MAX_TEXT) -> Any:
    """Return a JSON document; raises as `read_text`, and if the text is not JSON."""
    return parse_json(read_bytes(path, limit), path)


def parse_json(data: bytes, path: Path) -> Any:
    """Parse a JSON document that was read from a file; raise ReposeError if it is not JSON."""
    try:
        return json.loads(_text(data, path))
    except (ValueError, RecursionError) as error:
        raise ReposeError(f"not JSON: {error}", path, "the file is damaged") from None


def read_rows(path: Path, what: str = "not a table", hint: str | None = None) -> "pd.DataFrame":
    """Read a table of numbers and text from a parquet file, which may represent many equal cells by few bytes.

    Args:
        path: the file.
        what: what is wrong if it cannot be read.
        hint: what the user can do about it.

    Raises:
        ReposeError: the file is missing or damaged, has more than `MAX_TABLE` bytes of cells, `MAX_CELL_TEXT` bytes of
            text or `MAX_COLUMNS` columns, or contains other types.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    if not path.is_file():
        raise ReposeError("no such file", path, hint)
    with foreign(path, what, hint):
        about, kinds = pq.read_metadata(path), {c.name: _kind_of(c.type) for c in pq.read_schema(path)}
        cells = sum(NUMBER if kind == "number" else OBJECT for kind in kinds.values())
        if about.num_rows * cells > MAX_TABLE or about.num_columns > MAX_COLUMNS:
            raise ValueError(f"{about.num_rows} rows of {about.num_columns} columns")
        if odd := [name for name, kind in kinds.items() if kind is None]:
            raise ValueError(f"column {odd[0]!r} is neither of numbers nor of text")
        texts = [name for name, kind in kinds.items() if kind == "text"]
        # Count each text and its occurrences first, so that the needed memory is known before it is allocated.
        size = sum(map(_text_in, pq.read_table(path, columns=texts, read_dictionary=texts).columns))
        if size > MAX_CELL_TEXT:
            raise ValueError(f"{size} bytes of text")
        return pd.read_parquet(path)


def read_npz(
    path: Path,
    what: str = "not a .npz of plain arrays",
    hint: str | None = None,
    names: Iterable[str] | None = None,
    limit: int = MAX_ARRAYS,
) -> "dict[str, NDArray]":
    """Read arrays of numbers and text from a `.npz`, in which a few bytes can represent any number of zeros.

    Args:
        path: the file.
        what: what is wrong if it cannot be read.
        hint: what the user can do about it.
        names: names of the arrays to read, if they exist; None: all.
        limit: largest number of bytes of all arrays to read, and (plus `MAX_HEADERS`) of the file.

    Raises:
        ReposeError: the file is missing, damaged, or contains too much or other types.
    """
    data = read_bytes(path, limit + MAX_HEADERS)
    with foreign(path, what, hint):
        if data.count(b"PK\1\2") > MAX_MEMBERS:  # this signature precedes every name in the file
            raise ValueError(f"more than {MAX_MEMBERS} members")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            there = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if len(there) < len(archive.infolist()):
                raise ValueError("a name is there twice")
            wanted = there if names is None else {name: there[name] for name in names if name in there}
            if sum(info.file_size for info in wanted.values()) > limit:
                raise ReposeError(f"its arrays have more than {limit} bytes", path, hint)
            return {name: _member(archive, name, info, path) for name, info in wanted.items()}


def _member(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo, path: Path) -> "NDArray":
    if info.file_size > max(1 << 20, MAX_RATIO * info.compress_size):
        raise ReposeError(f"{name} unpacks to {info.file_size} bytes: a bomb?", path)
    # Other members would be unpacked completely, whatever is asked for.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed by method {info.compress_type}")
    with archive.open(info) as member:
        return _array(member.read(info.file_size))


def read_npy(path: Path, hint: str | None = None) -> "NDArray":
    """Return the array of a `.npy`; raises as `read_npz`."""
    data = read_bytes(path, MAX_ARRAYS + MAX_HEADERS)
    with foreign(path, "not a .npy of a plain array", hint):
        return _array(data)


def _array(data: bytes) -> "NDArray":
    """Return an array of numbers or text, whose number of bytes must match its header."""
    import numpy as np
    from numpy.lib import format as npy

    file = io.BytesIO(data)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(file)]
    shape, fortran, dtype = read_header(file)
    if dtype.kind not in "biufU" or not dtype.itemsize:
        raise ValueError(f"values of type {dtype}"[:80])
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError("its header does not fit its bytes")
    # backed by its own memory
    return np.ndarray(shape, dtype, bytearray(data), file.tell(), order="F" if fortran else "C")


def _kind_of(column: "pa.DataType") -> str | None:
    """Return `number` for cells that pandas stores as such, `object` for other fixed sizes, `text`, or None."""
    from pyarrow import types

    if types.is_integer(column) or types.is_floating(column) or types.is_boolean(column):
        return "number"
    if types.is_primitive(column) or types.is_null(column):
        return "object"
    value = column.value_type if types.is_dictionary(column) else column
    return "text" if types.is_string(value) or types.is_large_string(value) else None


def _text_in(column: "pa.ChunkedArray") -> int:
    import pyarrow.compute as pc

    return sum(
        pc.sum(pc.take(pc.binary_length(chunk.dictionary), chunk.indices)).as_py() or 0
        for chunk in column.chunks
    )


@contextmanager
def foreign(
    where: object, what: str = "damaged", hint: str | None = None, kind: type[ReposeError] = ReposeError
) -> Iterator[None]:
    """Convert any error of a library on a damaged or hostile file to one line.

    Only reading belongs inside the block, and none of our own code that may fail by itself.

    Raises:
        ReposeError: an error of that `kind`, in place of any other error.
    """
    try:
        yield
    except ReposeError:
        raise
    except Exception as error:
        raise kind(f"{what}: {str(error) or type(error).__name__}", where, hint) from error
