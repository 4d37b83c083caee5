"""Plain files are read as the strict scanner reads them, and all others are left to it."""

import numpy as np
import pytest

from repose.errors import MeshError
from repose.mesh.formats import plain_obj
from repose.mesh.formats.asset import asset_of
from repose.mesh.formats.obj import parse_obj
from repose.mesh.formats.plain_obj import read_plain, starts_of

CUBE = b"v 0 0 0\nv 1 0 .5\nv 1. 1e0 -2.5E-3\nv 0 +1 1e-40\n"

PLAIN = {
    "triangles": CUBE + b"f 1 2 3\nf 1 3 4\n",
    "a polygon": CUBE + b"f 1 2 3 4\n",
    "polygons and triangles": CUBE + b"f 1 2 3 4\nf 2 3 4\n",
    "corners with more": CUBE + b"vt 0 0\nvn 0 0 1\nf 1/1 2/1/1 3//1\nf 1/-1/-1 3 4/\n",
    "colours": CUBE.replace(b"\n", b" 0.1 0.2 0.3\n") + b"f 1 2 3\n",
    "blanks, comments, groups": b"\xef\xbb\xbf# v 9 9 9\r\n"
    + CUBE.replace(b" ", b" \t")
    + b"\r\n  o a b\ng c\nf 1 2 3 \r\n",
    "no newline at the end": CUBE + b"usemtl skin\ns off\nf 1 2 3",
}
OTHER = {
    "counted from the end": CUBE + b"f -1 -2 -3\n",
    "a line that goes on": CUBE + b"f 1 2 \\\n3\n",
    "a comment behind": CUBE + b"f 1 2 3 # front\n",
    "a vertex with a comment": CUBE + b"v 1 1 1 # 2 2\nf 1 2 3\n",
    "curves": CUBE + b"f 1 2 3\nmg 1\n",
}
BAD = {
    "no number": CUBE + b"v 1 x 2\nf 1 2 3\n",
    "python's numbers": CUBE + b"v 1_0 1 2\nf 1 2 3\n",
    "not finite": CUBE + b"v 1e999 1 2\nf 1 2 3\n",
    "a nan": CUBE + b"v nan 1 2\nf 1 2 3\n",
    "ragged": CUBE + b"v 1 2 3 4\nf 1 2 3\n",
    "two numbers": b"v 1 2\n" + CUBE + b"f 1 2 3\n",
    "two corners": CUBE + b"f 1 2\n",
    "no vertex 0": CUBE + b"f 0 1 2\n",
    "no vertex 5": CUBE + b"f 1 2 5\n",
    "python's indices": CUBE + b"f 1 2 0_3\n",
    "a third slash": CUBE + b"f 1 2 3/1/1/1\n",
    "a bare v": CUBE + b"v\nf 1 2 3\n",
    "another word": CUBE + b"face 1 2 3\n",
    "no faces": CUBE,
    "a long number": CUBE + b"v 0." + b"1" * 600 + b" 0 0\nf 1 2 3\n",
    "a form feed": CUBE + b"v 1\x0c2 3\nf 1 2 3\n",
    "nothing": b"",
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_what_is_plain_is_read_alike(data):
    ours, theirs = read_plain(data), parse_obj(data)
    assert np.array_equal(ours.vertices, theirs.vertices) and np.array_equal(ours.faces, theirs.faces)
    assert ours.faces.dtype == theirs.faces.dtype
    starts = starts_of(data, len(ours.vertices))
    words = [[float(data[start:].split()[0]) for start in row] for row in starts.tolist()]
    assert np.array_equal(words, ours.vertices)


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER)
def test_what_is_not_plain_is_left_to_the_scanner(data, tmp_path):
    assert read_plain(data) is None
    asset = asset_of(data, tmp_path / "a.obj")
    moved = asset_of(asset.rewritten(asset.mesh.vertices + 1), tmp_path / "a.obj")
    assert np.allclose(moved.file.vertices, asset.file.vertices + 1)


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_wrong_is_refused_by_the_scanner(data, tmp_path):
    assert read_plain(data) is None
    with pytest.raises(MeshError):
        asset_of(data, tmp_path / "a.obj")


def test_damage_is_never_read_as_something_else():
    """Bytes of a good file, changed anywhere: either as the scanner reads them, or left to it."""
    draw = np.random.default_rng(0)
    good = PLAIN["corners with more"]
    read = 0
    for _ in range(2000):
        data = bytearray(good)
        for place in draw.integers(len(data), size=draw.integers(1, 4)):
            data[place] = draw.choice(list(b" \n\r\t#/\\-+.0129eEvfntx_\xff\x0b"))
        if (found := read_plain(bytes(data))) is not None:
            read += 1
            try:
                strict = parse_obj(bytes(data))
            except MeshError as error:
                raise AssertionError(bytes(data)) from error
            assert np.array_equal(found.vertices, strict.vertices), bytes(data)
            assert np.array_equal(found.faces, strict.faces), bytes(data)
    assert read > 100


def test_large_files_are_left_to_the_scanner(monkeypatch):
    monkeypatch.setattr(plain_obj, "MOST", 10)
    assert read_plain(PLAIN["triangles"]) is None and starts_of(PLAIN["triangles"], 4) is None
