"""Integers as text of a script: two characters each, where base64 of 16 bits needs nearly three.

A page that is opened from disk may only load scripts, so the viewer's data are text. A digit is one of the 91 printable
characters that a JavaScript string contains unescaped, without the slash, which occurs in addresses.
"""

import json

import numpy as np
from numpy.typing import NDArray

BASE = 91
_ALPHABET = np.frombuffer(bytes(code for code in range(32, 127) if chr(code) not in '"<\\/'), np.uint8)
LARGEST = BASE**2 - 1  # largest number of two digits


def written(address: str, head: NDArray[np.floating], numbers: NDArray[np.integer]) -> str:
    """Return a script that gives the viewer integers, and the floats that are needed to decode them.

    Args:
        address: address under which the viewer expects them.
        head: float32 values for decoding.
        numbers: non-negative integers of any shape, row by row.
    """
    flat = np.ravel(numbers).astype(np.int64)
    count = 2 if flat.max(initial=0) <= LARGEST else 3
    places = BASE ** np.arange(count - 1, -1, -1)
    text = _ALPHABET[flat[:, None] // places % BASE].tobytes().decode("ascii")
    heads = json.dumps([float(f"{value:.9g}") for value in head.tolist()])
    return f'repose.arrived({json.dumps(address)},{heads},{count},"{text}");\n'
