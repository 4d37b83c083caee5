"""Binary glTF files made by hand, so that a test knows every byte of them."""

import io
import json
import struct

import numpy as np
from PIL import Image

TYPES = {"f4": 5126, "i2": 5122, "u1": 5121, "u2": 5123, "u4": 5125}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Maker:
    """A glTF file that is filled piece by piece; `tree` may be changed freely before `packed`."""

    def __init__(self):
        self.block = bytearray()
        self.tree = {
            "asset": {"version": "2.0", "generator": "a test, 1.50 €", "extras": {"tall": [1.5, "ü"]}},
            "scene": 0,
            "scenes": [{"name": "All", "nodes": []}],
            "nodes": [],
            "meshes": [],
            "accessors": [],
            "bufferViews": [],
            "buffers": [{"byteLength": 0}],
        }

    def view(self, content: bytes, **more) -> int:
        """A new buffer view."""
        self.block += bytes(-len(self.block) % 4)
        self.tree["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self.block), "byteLength": len(content), **more}
        )
        self.block += content
        return len(self.tree["bufferViews"]) - 1

    def numbers(self, values, kind="f4", **more) -> int:
        """A new accessor of (N, width) or (N,) numbers."""
        values = np.asarray(values)
        values = values.reshape(len(values), -1).astype(f"<{kind}")
        about = {"componentType": TYPES[kind], "count": len(values), "type": KINDS[values.shape[1]], **more}
        self.tree["accessors"].append({"bufferView": self.view(values.tobytes()), **about})
        if kind == "f4" and values.shape[1] == 3:
            bounds = {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
            self.tree["accessors"][-1].update(bounds)
        return len(self.tree["accessors"]) - 1

    def mesh(self, *primitives, **more) -> int:
        """A new mesh."""
        self.tree["meshes"].append({"primitives": list(primitives), **more})
        return len(self.tree["meshes"]) - 1

    def node(self, root=True, **about) -> int:
        """A new node, in the scene unless it is a child."""
        self.tree["nodes"].append(about)
        if root:
            self.tree["scenes"][0]["nodes"].append(len(self.tree["nodes"]) - 1)
        return len(self.tree["nodes"]) - 1

    def textured(self) -> int:
        """A new material with an image of four colours."""
        out = io.BytesIO()
        Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20).save(out, "PNG")
        self.tree["images"] = [{"bufferView": self.view(out.getvalue()), "mimeType": "image/png"}]
        self.tree["textures"] = [{"source": 0}]
        self.tree["materials"] = [
            {
                "name": "Skin",
                "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "roughnessFactor": 0.25},
            }
        ]
        return 0

    def packed(self) -> bytes:
        """The file."""
        self.tree["buffers"][0]["byteLength"] = len(self.block)
        text = json.dumps(self.tree, indent=1).encode()  # not as we would write it
        text += b" " * (-len(text) % 4)
        block = bytes(self.block) + bytes(-len(self.block) % 4)
        body = struct.pack("<II", len(text), 0x4E4F534A) + text
        body += struct.pack("<II", len(block), 0x004E4942) + block
        return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def opened(data: bytes):
    """The description and the block of numbers of a file."""
    length = int.from_bytes(data[12:16], "little")
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def stored(data: bytes, accessor: int) -> np.ndarray:
    """(N, width) numbers of a tight accessor, as they are stored."""
    tree, block = opened(data)
    about = tree["accessors"][accessor]
    kind = next(name for name, number in TYPES.items() if number == about["componentType"])
    width = next(width for width, name in KINDS.items() if name == about["type"])
    view = tree["bufferViews"][about["bufferView"]]
    start = view.get("byteOffset", 0) + about.get("byteOffset", 0)
    return np.frombuffer(block, f"<{kind}", about["count"] * width, start).reshape(-1, width)
