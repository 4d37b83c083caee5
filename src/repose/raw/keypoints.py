"""18 body joints per photo, as Deformable GAN (CSV) and Intrinsic Flow (pickled labels) published them.

Joints in OpenPose order: nose, neck, then right and left shoulder-elbow-wrist, right and left hip-knee-ankle, right and
left eye, right and left ear. Pixels of the stored image, x to the right, y down. The value -1 means that a joint was
not found.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from repose.array_pickle import read_pickle
from repose.errors import ReposeError
from repose.reading import foreign, read_json, read_text

JOINTS = 18
MISSING = -1.0
NEEDED = (2, 5, 8, 11)  # shoulders and hips, in OpenPose numbers
CSV_HEADER = ["name", "keypoints_y", "keypoints_x"]
MAX_BYTES = 512 << 20  # bytes of a pickle; the largest released one has 30 MB


def read_annotations(path: Path) -> dict[str, np.ndarray]:
    """Return the joints of every photo of an annotation CSV with lines `name:[y, …]:[x, …]`.

    Returns:
        A mapping from photo (without `.jpg`) to (18, 2) float32 of x and y; both are -1 if either is.

    Raises:
        ReposeError: a line is malformed; the message names file and line.
    """
    found: dict[str, np.ndarray] = {}
    for line, row in _rows(path, CSV_HEADER, ":"):
        with foreign(f"{path}:{line}", f"not a photo with {JOINTS} joints"):
            x, y = json.loads(row[2]), json.loads(row[1])
            found[_new(row[0], found)] = _joints(list(zip(x, y, strict=True)))
    return found


def read_labels(path: Path) -> dict[str, np.ndarray]:
    """Return the joints of every photo of a `pose_label*.pkl`; see `read_annotations`.

    Keys in the file are with or without `.jpg`; returned keys are without.
    """
    labels = read_pickle(path, arrays=False, limit=MAX_BYTES)
    if not isinstance(labels, dict):
        raise ReposeError(f"holds a {type(labels).__name__}, not a dict of photos", path)
    found: dict[str, np.ndarray] = {}
    for name, joints in labels.items():
        with foreign(path, f"photo {name!r}: not {JOINTS} joints"):
            found[_new(name, found)] = _joints(joints)
    return found


def is_usable(
    joints: np.ndarray,  # (18, 2)
) -> bool:
    """Return whether both shoulders and both hips were found, as every published pair list requires."""
    return bool((joints[list(NEEDED)] != MISSING).all())


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Return the pairs (source, target) of a pair CSV with the header `from,to`; names are without `.jpg`."""
    found = []
    for line, row in _rows(path, ["from", "to"], ","):
        with foreign(f"{path}:{line}", "not a pair of photos"):
            found.append((_stem(row[0]), _stem(row[1])))
    return found


def read_pair_split(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the pairs (source, target) of a `pair_split*.json`, by part: `train`, `test`, `test_small`, …"""
    content = read_json(path)
    with foreign(path, "not an object of lists of pairs"):
        return {part: [(_stem(a), _stem(b)) for a, b in pairs] for part, pairs in content.items()}


def _rows(path: Path, header: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    text = io.StringIO(read_text(path), newline="")
    reader = csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    try:
        if next(reader, None) != header:
            raise ReposeError(f"the first line is not {delimiter.join(header)!r}", f"{path}:1")
        for row in reader:
            if len(row) != len(header):
                raise ReposeError(f"{len(row)} columns instead of {len(header)}", f"{path}:{reader.line_num}")
            yield reader.line_num, row
    except csv.Error as error:
        raise ReposeError(f"not a table of text: {error}", path) from None


def _joints(values: Any) -> np.ndarray:
    # numpy alone would follow nested lists to any depth.
    if len(values) != JOINTS or any(len(pair) != 2 for pair in values):
        raise ValueError("not so many pairs")
    numbers = [number for pair in values for number in pair]
    if not all(isinstance(number, int | float) for number in numbers):
        raise ValueError("not numbers")
    with np.errstate(over="ignore"):
        joints = np.array(numbers, np.float64).astype(np.float32).reshape(JOINTS, 2)
    if not np.isfinite(joints).all():
        raise ValueError("a number is not finite")
    joints[(joints == MISSING).any(axis=1)] = MISSING
    return joints


def _new(name: Any, found: dict[str, np.ndarray]) -> str:
    stem = _stem(name)
    if stem in found:
        raise ValueError(f"{stem!r} is there twice")
    return stem


def _stem(name: Any) -> str:
    if not isinstance(name, str) or not name or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no name of a photo")
    return name.removesuffix(".jpg")
