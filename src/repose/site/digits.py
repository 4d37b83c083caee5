"""Whole numbers as text of a script: two characters each where base64 of 16 bits needs nearly three.

A page opened from disk may load scripts, and nothing else; so what the viewer draws is text. A digit is one of the 91
printable characters that a string of JavaScript holds as they are, without the stroke of addresses.
"""

import json

import numpy as np
from numpy.typing import NDArray

BASE = 91
_ALPHABET = np.frombuffer(bytes(code for code in range(32, 127) if chr(code) not in '"<\\/'), np.uint8)
LARGEST = BASE**2 - 1  # of two digits


def written(address: str, head: NDArray[np.floating], numbers: NDArray[np.integer]) -> str:
    """A script that gives the viewer numbers, and a few floats by which it understands them.

    Args:
        address: under which it waits for them.
        head: float32.
        numbers: from 0, of any shape; row by row.
    """
    flat = np.ravel(numbers).astype(np.int64)
    count = 2 if flat.max(initial=0) <= LARGEST else 3
    places = BASE ** np.arange(count - 1, -1, -1)
    text = _ALPHABET[flat[:, None] // places % BASE].tobytes().decode("ascii")
    heads = json.dumps([float(f"{value:.9g}") for value in head.tolist()])
    return f'repose.arrived({json.dumps(address)},{heads},{count},"{text}");\n'
