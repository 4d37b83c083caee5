"""Damage to bytes: what transfers, editors and attackers do to a file."""

import json
import random
import struct
from copy import deepcopy
from typing import Any

TOKENS = [b"0", b"-1", b"1e999", b"nan", b"-inf", b"99999999999", b"4294967296", b"9" * 5000, b"1_0", b"1.5.2", b"[",
          b"{}", b"null", b"\xff\xfe", b"\x1b[31m", b"../x", "\u2028".encode()]  # fmt: skip
WHOLE = [0, 1, -1, 2**31 - 1, -(2**31), 2**32 - 1, 2**40, 65_535, 255]
VALUES: list[Any] = [0, 1, -1, 1.5, 2**31, 10**9, 10**18, 1e308, float("nan"), "x", "../x", "\ud800", None, True, [],
                     {}, [1], [0] * 16, {"a": {}}, "VEC4", "data:,", "float64", "zstd"]  # fmt: skip


def mutated(draw: random.Random, seeds: list[bytes], text: bool) -> bytes:
    """One of the seeds after one to six kinds of damage."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.choice([1, 1, 1, 2, 3, 6])):
        data = bytearray(draw.choice(_LINES + _BYTES if text else _BYTES)(draw, data, seeds))[: 4 << 20]
    return bytes(data)


def changed_json(draw: random.Random, text: bytes, times: tuple[int, ...] = (1, 1, 2, 4)) -> bytes:
    """A JSON document with other values in some places, or with places that are gone, or there twice."""
    tree = json.loads(text)
    for _ in range(draw.choice(times)):
        if places := list(_places(tree)):
            node, key = draw.choice(places)
            if draw.random() < 0.8:
                node[key] = deepcopy(draw.choice(VALUES))
            elif isinstance(node, dict):
                del node[key]
            else:
                node.append(deepcopy(node[key]))
    return json.dumps(tree).encode()


def _places(node: Any) -> Any:
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield node, key
        yield from _places(node[key])


def _at(draw: random.Random, data: bytearray) -> int:
    return draw.randrange(len(data) + 1) if draw.random() < 0.6 else draw.randrange(min(len(data), 200) + 1)


def _bits(draw, data, seeds):
    for _ in range(draw.choice([1, 1, 2, 8]) if data else 0):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return data


def _byte(draw, data, seeds):
    at = _at(draw, data)
    data[at : at + 1] = bytes([draw.choice([0, 255, 10, 32, 127, draw.randrange(256)])])
    return data


def _cut(draw, data, seeds):
    return data[: _at(draw, data)] if draw.random() < 0.7 else data[_at(draw, data) :]


def _lose(draw, data, seeds):
    at = _at(draw, data)
    del data[at : at + draw.choice([1, 2, 4, 16, 200])]
    return data


def _repeat(draw, data, seeds):
    at, there = _at(draw, data), _at(draw, data)
    return (
        data[:there] + data[at : at + draw.choice([1, 4, 64, 512])] * draw.choice([1, 2, 30]) + data[there:]
    )


def _splice(draw, data, seeds):
    other = draw.choice(seeds)
    return data[: _at(draw, data)] + other[_at(draw, bytearray(other)) :]


def _number(draw, data, seeds):
    kind = draw.choice(["<i", ">i", "<q", "<h", "<f"])
    size = struct.calcsize(kind)
    value = draw.choice(WHOLE) & ((1 << 8 * size) - 1)
    at = _at(draw, data)
    raw = (
        struct.pack("<f", draw.choice([float("nan"), 1e38]))
        if kind == "<f"
        else value.to_bytes(size, "little")
    )
    data[at : at + size] = raw[::-1] if kind[0] == ">" else raw
    return data


def _token(draw, data, seeds):
    words = bytes(data).split(b" ")
    words[draw.randrange(len(words))] = draw.choice(TOKENS)
    return b" ".join(words)


def _line(draw, data, seeds):
    lines = bytes(data).split(b"\n")
    a, b = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[a] = draw.choice([lines[b], b"", lines[a] * draw.choice([2, 50, 2000]), lines[a] + b" " + lines[b]])
    return draw.choice([b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\\\n"]).join(lines)


_BYTES = [_bits, _bits, _byte, _cut, _lose, _repeat, _splice, _number, _number]
_LINES = [_token, _token, _token, _line, _line]
