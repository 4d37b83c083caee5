"""The inside of a binary glTF file: its description, its numbers, and the transforms of its meshes in the scene.

Names follow the glTF 2.0 specification (Khronos, 2021), sections 3.5 to 3.7. Only the binary block inside the file is
read: no external file that it names is opened.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
UNSIGNED, FLOAT = 5125, 5126
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
COMPRESSED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression")
MAX_NODES = 10_000

Float = NDArray[np.float64]
Tree = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """The place of an accessor's elements in the binary block: `count` of them, each `width` of `dtype`."""

    offset: int
    stride: int
    count: int
    dtype: np.dtype
    width: int

    @property
    def size(self) -> int:
        """The bytes of an element."""
        return self.dtype.itemsize * self.width

    @property
    def end(self) -> int:
        """The position where the last element ends."""
        return self.offset + self.stride * (self.count - 1) + self.size

    def overlaps(self, other: Layout) -> bool:
        """Return whether the two may share a byte; elements interleaved in one stride do not."""
        if self.end <= other.offset or other.end <= self.offset:
            return False
        apart = (other.offset - self.offset) % self.stride
        return not (self.stride == other.stride and self.size <= apart <= self.stride - other.size)

    def view(self, block: bytes | bytearray) -> np.ndarray:
        """(count, width) elements in place."""
        strides = self.stride, self.dtype.itemsize
        return np.ndarray((self.count, self.width), self.dtype, block, self.offset, strides)


class Gltf:
    """A parsed binary glTF file.

    Attributes:
        tree: the description.
        block: the binary block.
        chunks: types and contents of all chunks of the file, in order.

    Args:
        data: the content of the file.

    Raises:
        Exception: of any kind, for a damaged file; the methods raise them, too.
    """

    def __init__(self, data: bytes):
        self.version = struct.unpack_from("<I", data, 4)[0]
        if self.version != 2:
            raise ValueError(f"glTF of version {self.version}")
        self.chunks = list(_chunks(data))
        if not self.chunks or self.chunks[0][0] != JSON_CHUNK:
            raise ValueError("the first part is no description")
        self.tree: Tree = json.loads(self.chunks[0][1].decode("utf-8"), parse_constant=_no_number)
        blocks = [content for kind, content in self.chunks if kind == BINARY_CHUNK]
        self.block = blocks[0] if blocks else b""
        if len(self.tree.get("nodes", [])) > MAX_NODES:
            raise ValueError(f"a scene of more than {MAX_NODES} nodes")

    def layout(self, accessor: int) -> Layout | None:
        """Return the layout of an accessor's numbers; None if it consists of zeros alone."""
        about = item(self.tree["accessors"], accessor)
        dtype, width = np.dtype(TYPES[about["componentType"]]), WIDTHS[about["type"]]
        count = whole(about["count"])
        if not 0 < count <= len(self.block):  # an accessor of zeros takes no bytes in the file
            raise ValueError(f"accessor {accessor} has {count} elements")
        if "bufferView" not in about:
            return None
        start, length, stride = self.span(about["bufferView"])
        found = Layout(
            start + whole(about.get("byteOffset", 0)), stride or dtype.itemsize * width, count, dtype, width
        )
        if found.stride < found.size or found.end > start + length:
            raise ValueError(f"accessor {accessor} ends outside of its part of the file")
        return found

    def span(self, view: int) -> tuple[int, int, int]:
        """Return start, length and stride (0 if none is stated) of a buffer view in the block."""
        about = item(self.tree["bufferViews"], view)
        refuse_compressed(about)
        if whole(about["buffer"]) != 0 or "uri" in item(self.tree["buffers"], 0):
            raise ValueError("its numbers are in another file")
        start, length = whole(about.get("byteOffset", 0)), whole(about["byteLength"])
        if start + length > len(self.block):
            raise ValueError("the file ends before its numbers do")
        return start, length, whole(about.get("byteStride", 0))

    def values(self, accessor: int) -> np.ndarray:
        """Return the (count, width) numbers of an accessor: float64 if they are real or normalised, else as stored."""
        about, layout = self.tree["accessors"][accessor], self.layout(accessor)
        dtype, width = np.dtype(TYPES[about["componentType"]]), WIDTHS[about["type"]]
        found = layout.view(self.block).copy() if layout else np.zeros((about["count"], width), dtype)
        if "sparse" in about:
            self._replace(found, about["sparse"])
        if about.get("normalized") and dtype.kind in "iu":
            return np.maximum(found / np.iinfo(dtype).max, -1.0)
        return found.astype(np.float64) if dtype.kind == "f" else found

    def weights(self, node: int) -> list[float]:
        """Return the weights of the morph targets of a node's mesh."""
        about = self.tree["nodes"][node]
        found: list[float] = about.get("weights", item(self.tree["meshes"], about["mesh"]).get("weights", []))
        return found

    def displacement(self, node: int, primitive: Tree, name: str) -> Float:
        """Return how far morph targets move an attribute of a node's mesh: (count, 3), or zeros (3,) if they do not."""
        found = np.zeros(3)
        for weight, target in zip(self.weights(node), primitive.get("targets", []), strict=False):
            if weight and name in target:
                found = found + weight * self.values(target[name])
        return found

    def _replace(self, found: np.ndarray, sparse: Tree) -> None:
        count = whole(sparse["count"])
        parts = []
        for name, dtype, width in (
            ("indices", np.dtype(TYPES[sparse["indices"]["componentType"]]), 1),
            ("values", found.dtype, found.shape[1]),
        ):
            start, length, _ = self.span(sparse[name]["bufferView"])
            offset = whole(sparse[name].get("byteOffset", 0))
            if not 0 < count <= len(found) or offset + count * width * dtype.itemsize > length:
                raise ValueError("a sparse accessor ends outside of its part of the file")
            parts.append(
                np.frombuffer(self.block, dtype, count * width, start + offset).reshape(count, width)
            )
        found[parts[0][:, 0]] = parts[1]

    def places(self) -> dict[int, Float]:
        """Return for each node in the scene the matrix (4, 4) from its space to that of the scene."""
        nodes = self.tree.get("nodes", [])
        found: dict[int, Float] = {}
        ahead = [(node, np.eye(4)) for node in reversed(self._roots())]
        while ahead:
            node, above = ahead.pop()
            if node in found:
                raise ValueError(f"node {node} stands in two places")
            about = item(nodes, node)
            found[node] = above @ _own_matrix(about)
            ahead += [(child, found[node]) for child in reversed(about.get("children", []))]
        return found

    def _roots(self) -> list[int]:
        if scenes := self.tree.get("scenes"):
            return list(item(scenes, self.tree.get("scene", 0)).get("nodes", []))
        nodes = self.tree.get("nodes", [])
        children = {child for node in nodes for child in node.get("children", [])}
        return [node for node in range(len(nodes)) if node not in children]

    def packed(self, block: bytes | bytearray) -> bytes:
        """Return the file with the present `tree` and another block; unchanged parts are equal byte for byte."""
        parts = []
        for number, (kind, content) in enumerate(self.chunks):
            if number == 0 and json.loads(content) != self.tree:
                text = json.dumps(
                    self.tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False
                ).encode()
                content = text + b" " * (-len(text) % 4)
            elif kind == BINARY_CHUNK and content is self.block:
                content = bytes(block) + bytes(-len(block) % 4)
            parts.append(struct.pack("<II", len(content), kind) + content)
        body = b"".join(parts)
        return struct.pack("<4sII", b"glTF", self.version, 12 + len(body)) + body


def refuse_compressed(about: Tree) -> None:
    """Refuse a buffer view or a primitive with compressed numbers, beside which a file may hold zeros or a copy."""
    if any(name in about.get("extensions", {}) for name in COMPRESSED):
        raise ValueError("its numbers are compressed")


def whole(value: Any) -> int:
    """Return a non-negative integer, or raise."""
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def item(values: list[Any], index: Any) -> Any:
    """Return an item of a list, by an index from the file."""
    return values[whole(index)]


def _no_number(text: str) -> float:
    raise ValueError(f"{text} in its description")


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    pos, end = 12, min(len(data), struct.unpack_from("<I", data, 8)[0])
    while pos + 8 <= end:
        length, kind = struct.unpack_from("<II", data, pos)
        if pos + 8 + length > end:
            raise ValueError("the file ends too early")
        yield kind, data[pos + 8 : pos + 8 + length]
        pos += 8 + length


def _own_matrix(node: Tree) -> Float:
    """Return the matrix (4, 4) from a node's space to that of its parent."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T  # stored in column-major order
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), np.float64)
    found = np.eye(4)
    found[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    found[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), np.float64).reshape(3)
    found[:3, 3] = node.get("translation", (0, 0, 0))
    return found
