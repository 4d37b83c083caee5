"""PLY: ASCII and binary, both byte orders. Only coordinates and face corners are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from repose.errors import MeshError
from repose.mesh.formats.rows import RowReader
from repose.mesh.formats.scan import CORNER_LIST, LIST, SCALAR
from repose.mesh.mesh import INT32_MAX, Mesh

TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
         "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
         "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8"}  # fmt: skip
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
CORNER_NAMES = ("vertex_indices", "vertex_index")
MAX_HEADER = 1 << 16
MAX_FIELDS = 256
HINT = "the file is truncated or damaged"

OK, ENDED, CORNERS, RANGE = range(4)
MESSAGES = {
    ENDED: "the file ends before its last face",
    CORNERS: "a face has fewer than 3 corners",
    RANGE: "a face names a vertex that is out of range",
}


@dataclass
class _Property:
    name: str
    dtype: str
    count_dtype: str = ""  # empty for a scalar


@dataclass
class _Element:
    name: str
    count: int
    properties: list[_Property] = field(default_factory=list)

    @property
    def is_fixed(self) -> bool:
        return not any(p.count_dtype for p in self.properties)


def parse_ply(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of a PLY file; polygons become fans, properties other than x, y, z are ignored.

    Raises:
        MeshError: the content is not PLY, promises more than it holds, or is damaged; names the line if
            there are lines.
    """
    order, elements, pos = _parse_header(data, where)
    body = _read_binary if order else _read_ascii
    found = body(data, pos, order, elements, where)
    if set(found) != {"vertex", "face"}:
        raise MeshError("a vertex and a face element are needed, vertices first", where)
    return Mesh(found["vertex"], found["face"])


def _parse_header(data: bytes, where: object) -> tuple[str, list[_Element], int]:
    """Return the byte order ("" for text), the elements, and where the body starts."""
    if not data.startswith((b"ply\n", b"ply\r\n")):
        raise MeshError("not a PLY file", where, "the first line must be `ply`")
    end = data.find(b"\nend_header", 0, MAX_HEADER)
    newline = data.find(b"\n", end + 1)
    if end < 0 or newline < 0:
        raise MeshError("the header has no end", where, HINT)
    order: str | None = None
    elements: list[_Element] = []
    for number, text in enumerate(data[:end].decode("latin-1").split("\n")[1:], 2):
        try:
            order = _parse_header_line(text.split(), order, elements)
        except (KeyError, ValueError, IndexError):
            raise MeshError(f"malformed header line {text.strip()[:60]!r}", f"{where}:{number}") from None
    if order is None:
        raise MeshError("the header names no format", where, HINT)
    return order, elements, newline + 1


def _parse_header_line(words: list[str], order: str | None, elements: list[_Element]) -> str | None:
    match words:
        case [] | ["comment" | "obj_info", *_]:
            pass
        case ["format", name, "1.0"] if order is None:
            return FORMATS[name]
        case ["element", name, count] if count.isdecimal() and int(count) <= INT32_MAX:
            elements.append(_Element(name, int(count)))
        case ["property", "list", count_type, item_type, name] if TYPES[count_type][0] in "iu":
            elements[-1].properties.append(_Property(name, TYPES[item_type], TYPES[count_type]))
        case ["property", scalar_type, name]:
            elements[-1].properties.append(_Property(name, TYPES[scalar_type]))
        case _:
            raise ValueError
    if elements and len(elements[-1].properties) > MAX_FIELDS:
        raise ValueError
    return order


def _xyz_columns(element: _Element, where: object) -> list[int]:
    names = [p.name for p in element.properties]
    if not element.is_fixed or any(names.count(axis) != 1 for axis in "xyz"):
        raise MeshError("a vertex needs the scalar properties x, y and z, once each", where)
    return [names.index(axis) for axis in "xyz"]


def _corner_field(element: _Element, where: object) -> int:
    fields = [k for k, p in enumerate(element.properties) if p.name in CORNER_NAMES]
    if len(fields) != 1 or not element.properties[fields[0]].count_dtype:
        raise MeshError("a face needs one list property vertex_indices", where)
    if element.properties[fields[0]].dtype[0] not in "iu":
        raise MeshError("vertex_indices must be whole numbers", where)
    return fields[0]


def _read_ascii(data: bytes, pos: int, order: str, elements: list[_Element], where: object) -> dict:
    rows = RowReader(data, pos, where)
    found: dict[str, np.ndarray] = {}
    for element in elements:
        if element.name == "vertex" and not found:
            columns = _xyz_columns(element, where)
            found["vertex"] = rows.reals(element.count, len(element.properties))[:, columns]
        elif element.name == "face" and set(found) == {"vertex"}:
            kinds = [LIST if p.count_dtype else SCALAR for p in element.properties]
            kinds[_corner_field(element, where)] = CORNER_LIST
            found["face"] = rows.faces(element.count, kinds, len(found["vertex"]))
        else:
            rows.skip(element.count)
    rows.finish()
    return found


def _read_binary(data: bytes, pos: int, order: str, elements: list[_Element], where: object) -> dict:
    found: dict[str, np.ndarray] = {}
    for element in elements:
        if element.name == "vertex" and not found:
            columns = _xyz_columns(element, where)
            names = [f"f{k}" for k in range(len(element.properties))]
            row = np.dtype([(n, order + p.dtype) for n, p in zip(names, element.properties, strict=True)])
            if element.count * row.itemsize > len(data) - pos:
                raise MeshError(f"{element.count} vertices do not fit in the file", where, HINT)
            table = np.frombuffer(data, row, element.count, pos)
            found["vertex"] = np.stack([table[names[k]].astype(np.float64) for k in columns], axis=1)
            pos += element.count * row.itemsize
        elif element.name == "face" and set(found) == {"vertex"}:
            corners = _corner_field(element, where)
            found["face"], pos = _walk(data, pos, order, element, corners, len(found["vertex"]), where)
        else:
            _, pos = _walk(data, pos, order, element, -1, 0, where)
    if data[pos:].strip():
        raise MeshError(f"{len(data) - pos} bytes follow the last element", where, HINT)
    return found


def _walk(data, pos, order, element, corners, n_vertices, where) -> tuple[np.ndarray, int]:
    """Read the rows of an element whose size is known only by walking it: (triangles, pos)."""
    if not element.properties:
        return np.empty((0, 3), np.int32), pos
    smallest = sum(int((p.count_dtype or p.dtype)[1]) for p in element.properties)
    if element.count * smallest > len(data) - pos:
        raise MeshError(f"{element.count} rows of {element.name!r} do not fit in the file", where, HINT)
    sizes = np.array([(int(p.count_dtype[1:] or 0), int(p.dtype[1])) for p in element.properties])
    signed = np.array([(p.count_dtype[:1] == "i", p.dtype[0] == "i") for p in element.properties])
    room = (len(data) - pos) // max(1, sizes[corners, 1]) if corners >= 0 else 0
    faces = np.empty((room, 3), np.int32)
    buf = np.frombuffer(data, np.uint8)
    code, pos, n_faces = _walk_rows(
        buf, pos, element.count, sizes, signed, corners, n_vertices, order == ">", faces
    )
    if code != OK:
        raise MeshError(MESSAGES[code], f"{where}: byte {pos}", HINT)
    return faces[:n_faces].copy(), pos


@njit(cache=True, nogil=True)
def _int_at(buf, pos, size, signed, big):
    """The whole number of `size` bytes at `pos`."""
    value = np.int64(0)
    for k in range(size):
        byte = np.int64(buf[pos + (k if big else size - 1 - k)])
        value = value * 256 + byte
    if signed and value >= np.int64(1) << (8 * size - 1):
        value -= np.int64(1) << (8 * size)
    return value


@njit(cache=True, nogil=True)
def _fan(buf, pos, count, size, signed, big, n_vertices, faces, n_faces):
    """Append the fan of the `count` corners at `pos`: (code, triangles)."""
    first, last = np.int64(0), np.int64(0)
    for corner in range(count):
        index = _int_at(buf, pos + corner * size, size, signed, big)
        if not 0 <= index < n_vertices:
            return RANGE, n_faces
        if corner == 0:
            first = index
        elif corner > 1:
            faces[n_faces, 0], faces[n_faces, 1], faces[n_faces, 2] = first, last, index
            n_faces += 1
        last = index
    return OK, n_faces


@njit(cache=True, nogil=True)
def _walk_rows(buf, pos, rows, sizes, signed, corners, n_vertices, big, faces):
    """Read rows of scalars and lists; field `corners` becomes fans: (code, pos, triangles)."""
    n_faces = 0
    for _ in range(rows):
        for k in range(sizes.shape[0]):
            count_size, size = sizes[k]
            count = np.int64(1)
            if count_size > buf.size - pos:
                return ENDED, pos, n_faces
            if count_size > 0:
                count = _int_at(buf, pos, count_size, signed[k, 0], big)
            if count < 0 or (k == corners and count < 3):
                return CORNERS, pos, n_faces
            pos += count_size
            if count * size > buf.size - pos:
                return ENDED, pos, n_faces
            if k == corners:
                code, n_faces = _fan(buf, pos, count, size, signed[k, 1], big, n_vertices, faces, n_faces)
                if code != OK:
                    return code, pos, n_faces
            pos += count * size
    return OK, pos, n_faces
