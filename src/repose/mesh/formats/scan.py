"""Compiled scanners of OBJ text.

A buffer is a (N,) uint8 array, a position an index into it. Scanners do not count lines: an error is a code and a
position, from which `repose.mesh.formats.obj` finds the line. All scanners are in this one file, because numba keys its
cache on the file of the outermost function and would miss an edit in another file.
"""

from __future__ import annotations

import numpy as np
from numba import njit

TAB, NEWLINE, RETURN, SPACE, HASH, SLASH = 9, 10, 13, 32, 35, 47
PLUS, MINUS, DOT, ZERO, NINE, UPPER_E, LOWER_E, BACKSLASH = 43, 45, 46, 48, 57, 69, 101, 92
LOWER_V, LOWER_F = 118, 102

INT32_MAX = 2**31 - 1
EXACT_MANTISSA = 1 << 53
EXACT_POWERS = 10.0 ** np.arange(23)  # the powers of ten that float64 holds exactly
MAX_TOKEN = 512  # bytes; `float` is slow on a number of a million digits
MAX_DIGITS = 18  # an int64 cannot overflow below this
MAX_EXPONENT = 10_000

OK, KEYWORD, RAGGED, CORNERS, INDEX, ZERO_INDEX, RANGE = range(7)

# OBJ statements that do not concern vertices or triangles, encoded as numbers by their letters.
IGNORED = ("vt", "vn", "vp", "g", "o", "s", "mg", "l", "p", "lod", "bevel", "c_interp", "d_interp",
           "usemtl", "mtllib", "usemap", "maplib")  # fmt: skip
IGNORED_KEYS = tuple(int.from_bytes(word.encode(), "big") for word in IGNORED)

# Without reference counting (`_nrt`), which scanners never need and which would halve their speed.
compiled = njit(cache=True, nogil=True, _nrt=False)  # type: ignore[call-overload]
inlined = njit(inline="always", _nrt=False)  # type: ignore[call-overload]


@inlined
def _is_blank(byte):
    return byte in (SPACE, TAB, RETURN)


@inlined
def _skip_blank(buf, pos):
    while pos < buf.size and _is_blank(buf[pos]):
        pos += 1
    return pos


@inlined
def _skip_token(buf, pos):
    while pos < buf.size and buf[pos] != NEWLINE and not _is_blank(buf[pos]):
        pos += 1
    return pos


@inlined
def _skip_sign(buf, pos):
    if pos < buf.size and (buf[pos] == MINUS or buf[pos] == PLUS):
        pos += 1
    return pos


@inlined
def _digits(buf, pos, mantissa, digits):
    """Append decimal digits to a mantissa and return (pos, mantissa, significant digits)."""
    while pos < buf.size and ZERO <= buf[pos] <= NINE:
        if digits < MAX_DIGITS:
            mantissa = mantissa * 10 + (np.int64(buf[pos]) - ZERO)
        digits += mantissa > 0
        pos += 1
    return pos, mantissa, digits


@inlined
def _exponent(buf, pos):
    """Read an exponent such as `e-05`, if there is one, and return (pos, exponent, well formed)."""
    exponent, sound = np.int64(0), True
    if pos < buf.size and (buf[pos] == LOWER_E or buf[pos] == UPPER_E):
        first = _skip_sign(buf, pos + 1)
        negative, pos = buf[first - 1] == MINUS, first
        while pos < buf.size and ZERO <= buf[pos] <= NINE:
            exponent = min(exponent * 10 + (np.int64(buf[pos]) - ZERO), np.int64(MAX_EXPONENT))
            pos += 1
        sound = pos > first
        if negative:
            exponent = -exponent
    return pos, exponent, sound


@compiled
def scan_reals(buf, starts, out):
    """Read the number at each of `starts` into `out`, and return the index of the first bad one, or -1.

    Only numbers whose digits and power of ten are both exact in float64 are read here: a single operation rounds once,
    so the result equals that of `float`. Any other well-formed number is left as NaN.
    """
    for k in range(starts.size):
        start = np.int64(starts[k])
        first = _skip_sign(buf, start)
        pos, mantissa, digits = _digits(buf, first, np.int64(0), 0)
        count, fraction = pos - first, 0
        if pos < buf.size and buf[pos] == DOT:
            first = pos + 1
            pos, mantissa, digits = _digits(buf, first, mantissa, digits)
            fraction = pos - first
        pos, exponent, sound = _exponent(buf, pos)
        at_end = pos >= buf.size or buf[pos] == NEWLINE or _is_blank(buf[pos])
        if not sound or not at_end or count + fraction == 0 or pos - start > MAX_TOKEN:
            return k
        power = exponent - fraction
        value = float(mantissa)
        if digits > MAX_DIGITS or mantissa > EXACT_MANTISSA or (mantissa > 0 and abs(power) > 22):
            value = np.nan
        elif mantissa > 0:
            value = value * EXACT_POWERS[power] if power >= 0 else value / EXACT_POWERS[-power]
        out[k] = -value if buf[start] == MINUS else value
    return -1


@inlined
def _int(buf, pos):
    """Read an integer and return (value, pos after its digits, well formed)."""
    first = _skip_sign(buf, pos)
    end, value, digits = _digits(buf, first, np.int64(0), 0)
    if buf[pos] == MINUS:
        value = -value
    return value, end, end > first and digits < MAX_DIGITS


@inlined
def _next(buf, pos):
    """Go to the next token or the end of the OBJ statement; `\\` at the end of a line joins two lines."""
    pos = _skip_blank(buf, pos)
    while pos + 1 < buf.size and buf[pos] == BACKSLASH:
        after = pos + 2 if buf[pos + 1] == RETURN else pos + 1
        if after >= buf.size or buf[after] != NEWLINE:
            break
        pos = _skip_blank(buf, after + 1)
    return pos


@inlined
def _at_end(buf, pos):
    return pos >= buf.size or buf[pos] == NEWLINE or buf[pos] == HASH


@inlined
def _skip_statement(buf, pos):
    """Go past the newline that ends the OBJ statement. A comment does not continue on the next line."""
    continues = True
    while pos < buf.size:
        if buf[pos] == HASH:
            continues = False
        if buf[pos] == NEWLINE:
            last = pos - 2 if pos > 0 and buf[pos - 1] == RETURN else pos - 1
            if not continues or last < 0 or buf[last] != BACKSLASH:
                break
        pos += 1
    return pos + 1


@compiled
def _obj_vertex(buf, pos, starts, base):
    """Record where the first three numbers of a `v` start, and return (pos, how many there are)."""
    count, pos = 0, _next(buf, pos)
    while not _at_end(buf, pos):
        if count < 3:
            starts[base + count] = pos
        count += 1
        pos = _next(buf, _skip_token(buf, pos))
    return pos, count


@inlined
def _obj_corner(buf, pos, n_vertices):
    """Read a corner such as `7`, `7/1`, `7//3` or `-1/..`, and return (code, zero-based vertex, pos after it)."""
    index, end, sound = _int(buf, pos)
    slashes = 0
    while sound and end < buf.size and buf[end] != NEWLINE and not _is_blank(buf[end]):
        byte = buf[end]
        slashes += byte == SLASH
        signed = byte in (MINUS, PLUS) and buf[end - 1] == SLASH
        sound = 0 < slashes < 3 and (byte == SLASH or signed or ZERO <= byte <= NINE)
        end += 1
    zero = index == 0
    index = index - 1 if index > 0 else n_vertices + index
    code = OK if 0 <= index < INT32_MAX else RANGE
    if zero:
        code = ZERO_INDEX
    if not sound:
        code = INDEX
    return code, index, end


@compiled
def _obj_face(buf, pos, n_vertices, faces, n_faces):
    """Read the corners of an `f` as a fan, and return (code, pos, n_faces, largest index)."""
    count, first, last, largest = 0, np.int64(0), np.int64(0), np.int64(-1)
    pos = _next(buf, pos)
    while not _at_end(buf, pos):
        code, index, end = _obj_corner(buf, pos, n_vertices)
        if code != OK:
            return code, pos, n_faces, largest
        if count == 0:
            first = index
        elif count > 1:
            faces[n_faces, 0], faces[n_faces, 1], faces[n_faces, 2] = first, last, index
            n_faces += 1
        last, largest, count = index, max(largest, index), count + 1
        pos = _next(buf, end)
    return (OK if count >= 3 else CORNERS), pos, n_faces, largest


@compiled
def _obj_is_ignored(buf, start, end):
    key = np.int64(0)
    for pos in range(start, min(end, start + 8)):
        key = key * 256 + buf[pos]
    return end - start <= 8 and key in IGNORED_KEYS


@compiled
def obj_statements(buf, starts, faces):
    """Read every OBJ statement.

    Args:
        buf: (N,) uint8.
        starts: (N,) int32 output, the positions of the coordinates; N must be at least their number.
        faces: (N, 3) int32 output; N must be at least the number of triangles.

    Returns:
        (code, pos, vertices, faces, largest index); pos is that of the error, or of the face with that index.
    """
    pos, n_vertices, n_faces, columns, largest, largest_pos = 0, 0, 0, 0, np.int64(-1), 0
    while pos < buf.size:
        start = pos = _next(buf, pos)
        code, end = OK, _skip_token(buf, pos)
        if _at_end(buf, pos):
            pass
        elif end == pos + 1 and buf[pos] == LOWER_V:
            pos, count = _obj_vertex(buf, end, starts, 3 * n_vertices)
            columns = count if columns == 0 else columns
            # 3: xyz, 4: and a weight, 6: and rgb, 7: and rgba
            if count != columns or count < 3 or count == 5 or count > 7:
                return RAGGED, start, n_vertices, n_faces, largest
            n_vertices += 1
        elif end == pos + 1 and buf[pos] == LOWER_F:
            code, pos, n_faces, index = _obj_face(buf, end, n_vertices, faces, n_faces)
            if index > largest:
                largest, largest_pos = index, start
        elif not _obj_is_ignored(buf, pos, end):
            code = KEYWORD
        if code != OK:
            return code, start if code == CORNERS else pos, n_vertices, n_faces, largest
        pos = _skip_statement(buf, pos)
    return OK, largest_pos, n_vertices, n_faces, largest
