"""Reader of PLY files, ASCII and binary in both byte orders. Only coordinates and face corners are kept.

trimesh's reader is not used: it refuses binary files that mix triangles and quads, as Blender writes them, reorders
polygons, and reads truncated text as shorter rows.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field

import numpy as np

from repose.errors import MeshError
from repose.mesh.formats.rows import CORNERS, HINT, LIST, SCALAR, Rows, check_corners, fans
from repose.mesh.mesh import INT32_MAX, Mesh

TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
         "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
         "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8"}  # fmt: skip
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
CORNER_NAMES = ("vertex_indices", "vertex_index")
MAX_HEADER = 1 << 16
MAX_FIELDS = 256
MAX_WALKED = 1 << 24  # rows with lists, each of which takes some microseconds
MAX_LIST = 1 << 16


@dataclass
class Property:
    """A property of an element."""

    name: str
    dtype: str
    count_dtype: str = ""  # empty for a scalar


@dataclass
class Element:
    """A kind of rows, such as vertices."""

    name: str
    count: int
    properties: list[Property] = field(default_factory=list)

    @property
    def is_fixed(self) -> bool:
        return not any(p.count_dtype for p in self.properties)


def parse_ply(data: bytes, where: object = "<bytes>") -> Mesh:
    """Read the bytes of a PLY file; polygons become fans, properties other than x, y, z are ignored.

    Raises:
        MeshError: the content is not PLY, promises more than it holds, or is damaged; names the line if
            there are lines.
    """
    order, elements, pos = parse_header(data, where)
    body = _read_binary if order else _read_ascii
    found = body(data, pos, order, elements, where)
    if set(found) != {"vertex", "face"}:
        raise MeshError("a vertex and a face element are needed, vertices first", where)
    return Mesh(found["vertex"], found["face"])


def parse_header(data: bytes, where: object) -> tuple[str, list[Element], int]:
    """Return the byte order ("" for text), the elements, and where the body starts."""
    if not data.startswith((b"ply\n", b"ply\r\n")):
        raise MeshError("not a PLY file", where, "the first line must be `ply`")
    end = data.find(b"\nend_header", 0, MAX_HEADER)
    newline = data.find(b"\n", end + 1)
    if end < 0 or newline < 0:
        raise MeshError("the header has no end", where, HINT)
    order: str | None = None
    elements: list[Element] = []
    for number, text in enumerate(data[:end].decode("latin-1").split("\n")[1:], 2):
        try:
            order = _parse_header_line(text.split(), order, elements)
        except (KeyError, ValueError, IndexError):
            raise MeshError(f"malformed header line {text.strip()[:60]!r}", f"{where}:{number}") from None
    if order is None:
        raise MeshError("the header names no format", where, HINT)
    return order, elements, newline + 1


def _parse_header_line(words: list[str], order: str | None, elements: list[Element]) -> str | None:
    match words:
        case [] | ["comment" | "obj_info", *_]:
            pass
        case ["format", name, "1.0"] if order is None:
            return FORMATS[name]
        case ["element", name, count] if count.isdecimal() and int(count) <= INT32_MAX:
            elements.append(Element(name, int(count)))
        case ["property", "list", count_type, item_type, name] if TYPES[count_type][0] in "iu":
            elements[-1].properties.append(Property(name, TYPES[item_type], TYPES[count_type]))
        case ["property", scalar_type, name]:
            elements[-1].properties.append(Property(name, TYPES[scalar_type]))
        case _:
            raise ValueError
    if elements and len(elements[-1].properties) > MAX_FIELDS:
        raise ValueError
    return order


def _xyz_columns(element: Element, where: object) -> list[int]:
    names = [p.name for p in element.properties]
    if not element.is_fixed or any(names.count(axis) != 1 for axis in "xyz"):
        raise MeshError("a vertex needs the scalar properties x, y and z, once each", where)
    return [names.index(axis) for axis in "xyz"]


def _corner_field(element: Element, where: object) -> int:
    fields = [k for k, p in enumerate(element.properties) if p.name in CORNER_NAMES]
    if len(fields) != 1 or not element.properties[fields[0]].count_dtype:
        raise MeshError("a face needs one list property vertex_indices", where)
    if element.properties[fields[0]].dtype[0] not in "iu":
        raise MeshError("vertex_indices must be whole numbers", where)
    return fields[0]


def _read_ascii(data: bytes, pos: int, order: str, elements: list[Element], where: object) -> dict:
    rows = Rows(data, pos, where)
    found: dict[str, np.ndarray] = {}
    for element in elements:
        if element.name == "vertex" and not found:
            columns = _xyz_columns(element, where)
            found["vertex"] = rows.reals(element.count, columns, len(element.properties))
        elif element.name == "face" and set(found) == {"vertex"}:
            kinds = [LIST if p.count_dtype else SCALAR for p in element.properties]
            kinds[_corner_field(element, where)] = CORNERS
            found["face"] = rows.faces(element.count, kinds, len(found["vertex"]))
        else:
            rows.skip(element.count)
    rows.finish()
    return found


def _read_binary(data: bytes, pos: int, order: str, elements: list[Element], where: object) -> dict:
    found: dict[str, np.ndarray] = {}
    for element in elements:
        if element.name == "vertex" and not found:
            columns = _xyz_columns(element, where)
            row = row_type(element, order)
            if element.count * row.itemsize > len(data) - pos:
                raise MeshError(f"{element.count} vertices do not fit in the file", where, HINT)
            table = np.frombuffer(data, row, element.count, pos)
            found["vertex"] = np.stack([table[f"f{k}"].astype(np.float64) for k in columns], axis=1)
            pos += table.nbytes
        elif element.name == "face" and set(found) == {"vertex"}:
            counts, corners, pos = walk(data, pos, order, element, _corner_field(element, where), where)
            if ((corners < 0) | (corners >= len(found["vertex"]))).any():
                raise MeshError("a face names a vertex that is out of range", where, HINT)
            found["face"] = fans(counts, corners.astype(np.int32))
        else:
            _, _, pos = walk(data, pos, order, element, -1, where)
    if data[pos:].strip():
        raise MeshError(f"{len(data) - pos} bytes follow the last element", where, HINT)
    return found


def row_type(element: Element, order: str) -> np.dtype:
    """Return the dtype of a binary row of an element without lists; its properties are f0, f1, …"""
    return np.dtype([(f"f{k}", order + p.dtype) for k, p in enumerate(element.properties)])


def walk(
    data: bytes, pos: int, order: str, element: Element, field_of_corners: int, where: object
) -> tuple[np.ndarray, np.ndarray, int]:
    """Read the rows of an element one by one, since lists differ in length.

    Returns:
        The number of corners of each face (F,) int32, all corners int64, and the position where the element ends.
    """
    smallest = sum(int((p.count_dtype or p.dtype)[1]) for p in element.properties)
    if element.count * max(smallest, 1) > min(len(data) - pos, MAX_WALKED * smallest):
        raise MeshError(f"{element.count} rows of {element.name!r} do not fit in the file", where, HINT)
    counts, corners = array("i"), array("q")
    kinds = [
        (p.count_dtype and order + np.dtype(p.count_dtype).char, np.dtype(p.dtype))
        for p in element.properties
    ]
    try:
        for _ in range(element.count):
            for k, (counted, kind) in enumerate(kinds):
                size = 1
                if counted:
                    (size,) = struct.unpack_from(counted, data, pos)
                    pos += struct.calcsize(counted)
                    if not (3 if k == field_of_corners else 0) <= size <= MAX_LIST:
                        raise MeshError(
                            f"a {element.name} has a list of {size}", f"{where}: byte {pos}", HINT
                        )
                if k == field_of_corners:
                    corners.extend(struct.unpack_from(f"{order}{size}{kind.char}", data, pos))
                    counts.append(size)
                pos += size * kind.itemsize
            check_corners(len(corners), where)
    except struct.error:
        pos = len(data) + 1
    if pos > len(data):
        raise MeshError(f"the file ends before its last {element.name}", where, HINT)
    return np.array(counts, np.int32), np.array(corners, np.int64), pos
