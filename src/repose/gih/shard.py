"""The one shard of one matrix, written and read directly.

A read looks up the index, checks the digest, decompresses, and sums the residuals that are needed. zarr-python reads
the same files (tests compare the two), but spends most of its time on bookkeeping per chunk, and always decodes whole
chunks. The layout is standard Zarr v3 `sharding_indexed`.
"""

import base64
import os
import struct
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import google_crc32c
import numpy as np
from blake3 import blake3
from numba import njit
from numcodecs import blosc
from numpy.typing import NDArray

from repose.errors import ReposeError
from repose.gih import layout
from repose.gih.codec import CODEC_NAME, predict, restore
from repose.gih.layout import ATTRIBUTES, BAND, MeshInfo
from repose.provenance.stated import Stated
from repose.reading import foreign

Ranks = NDArray[np.int32]
Codes = NDArray[np.uint16]

_CRC_BYTES, _DIGEST_BYTES = 4, 32
_BLOSC = struct.Struct("<4B3I")  # versions, flags, bytes of a number, bytes decoded, of a block, encoded

ZERO, ONE = np.uint16(0), np.uint16(1)


class Shard:
    """The codes of one matrix, by stored rows and columns ("ranks").

    The metadata are checked against the manifest's statements on the store's files, and each band is checked against
    the metadata when it is read.

    Args:
        folder: the array's directory.
        files: statements on the files of the store.

    Attributes:
        digest: BLAKE3 of the shard, as stated in the metadata.

    Raises:
        ReposeError: the shard is missing, damaged, of another version, or has another layout.
    """

    def __init__(self, folder: Path, files: Stated):
        metadata = layout.unseal(folder / "zarr.json", files)
        attributes = metadata["attributes"][ATTRIBUTES]
        self.info = MeshInfo.from_attributes(attributes, folder)
        self.path, bands = folder / "c" / "0" / "0", -(-self.info.vertices // BAND)
        with foreign(folder, "not the layout this repose writes", "recompute it"):
            if self.info.key != folder.name or not _is_ours(metadata, self.info.vertices):
                raise ValueError("other codecs, chunks or names")
            self.digest = str(attributes["shard"])
            self._digests = _unpacked(attributes["bands"], bands)
        self._index = self._read_index(bands)

    def block(self, rows: Ranks, cols: Ranks | None = None) -> Codes:
        """Return (R, C) uint16 codes; ``cols`` defaults to ``rows``."""
        row_set, row_place = np.unique(rows, return_inverse=True)
        if cols is None:
            half = self._upper(row_set, row_set)
            codes = np.where(_is_upper(row_set, row_set), half, half.T)
            return codes[np.ix_(row_place, row_place)]
        col_set, col_place = np.unique(cols, return_inverse=True)
        upper = _is_upper(row_set, col_set)
        codes = self._upper(row_set, col_set)
        # columns with an entry that is stored in the upper half instead
        mirrored = np.flatnonzero(~upper.all(0))
        if len(mirrored):
            below = self._upper(col_set[mirrored], row_set).T
            codes[:, mirrored] = np.where(upper[:, mirrored], codes[:, mirrored], below)
        return codes[np.ix_(row_place, col_place)]

    def matrix(self) -> Codes:
        """Return the whole (V, V) matrix of codes."""
        n = self.info.vertices
        codes = np.empty((n, n), np.uint16)
        residuals, decoded = np.empty((BAND, n), np.uint16), np.empty((BAND, n), np.uint16)
        with self._open() as file:
            for band, top in enumerate(range(0, n, BAND)):
                self._read(file.fileno(), band, residuals)
                restore(residuals, decoded)
                codes[top : top + BAND] = decoded[: n - top]
        _mirror(codes)
        return codes

    def check(self) -> None:
        """Read every band and compare its digest. Raises ReposeError at the first damage."""
        with self._open() as file:
            for band in range(len(self._index)):
                self._chunk(file.fileno(), band)

    def _upper(self, rows: Ranks, cols: Ranks) -> Codes:
        """Return the entries of sorted rows and columns, undefined where a column lies left of the row's band."""
        out = np.zeros((len(rows), len(cols)), np.uint16)
        bands, starts = np.unique(rows // BAND, return_index=True)
        ends = np.append(starts, len(rows))[1:]
        residuals = np.empty((BAND, self.info.vertices), np.uint16)
        with self._open() as file:
            for band, start, end in zip(bands.tolist(), starts.tolist(), ends.tolist(), strict=True):
                self._read(file.fileno(), band, residuals)
                first = int(np.searchsorted(cols, band * BAND))
                _gather(residuals, band * BAND, rows[start:end] % BAND, cols[first:], out[start:end, first:])
        return out

    def _open(self) -> FileIO:
        try:
            return FileIO(self.path)
        except OSError as error:
            raise ReposeError(f"cannot open: {error.strerror}", self.path, "recompute this mesh") from error

    def _read(self, file: int, band: int, residuals: Codes) -> None:
        """Read one band into a given (BAND, V) buffer, as a new one each time would cost page faults."""
        body = self._chunk(file, band)
        with foreign(self.path, "the shard is damaged", "delete its folder and recompute it"):
            blosc.decompress(body, residuals)

    def _chunk(self, file: int, band: int) -> bytes:
        """Return one compressed band, checked."""
        offset, length = self._index[band].tolist()
        chunk = os.pread(file, length, offset)
        if blake3(chunk).digest() != self._digests[band]:
            raise self._damage(f"digest of rows {band * BAND}.. does not match")
        body = chunk[:-_CRC_BYTES]
        # A digest can be forged for any bytes. Blosc reads as many bytes as its header states, so the length is
        # checked.
        _, _, _, typesize, decoded, _, encoded = _BLOSC.unpack(body[: _BLOSC.size].ljust(_BLOSC.size, b"\0"))
        if (typesize, decoded, encoded) != (2, 2 * BAND * self.info.vertices, len(body)):
            raise self._damage(f"rows {band * BAND}.. have the wrong size")
        return body

    def _read_index(self, bands: int) -> NDArray[np.uint64]:
        """Return the offset and length of each chunk, (bands, 2), from the end of the file."""
        length = 16 * bands + _CRC_BYTES
        with self._open() as file:
            size = os.fstat(file.fileno()).st_size
            tail = os.pread(file.fileno(), length, max(0, size - length))
        if len(tail) != length or _crc(tail[:-_CRC_BYTES]) != tail[-_CRC_BYTES:]:
            raise self._damage("the shard index is truncated or altered")
        index = np.frombuffer(tail[:-_CRC_BYTES], "<u8").reshape(bands, 2)
        limit = np.uint64(size)
        if (index > limit).any() or (index.sum(1) > limit).any() or (index[:, 1] <= _CRC_BYTES).any():
            raise self._damage("the shard index points outside the file")
        return index

    def _damage(self, what: str) -> ReposeError:
        return ReposeError(f"the shard is damaged: {what}", self.path, "delete its folder and recompute it")


def write(distances: NDArray[np.float32], scale: float, file: Path) -> dict[str, str]:
    """Write the shard file of a (V, V) matrix in stored order.

    Returns:
        The digests for its metadata: BLAKE3 of the file, and of every band (32 bytes each, base64).
    """
    whole, bands = blake3(), []
    with file.open("wb") as handle:
        for piece in encode(distances, scale):
            handle.write(piece)
            whole.update(piece)
            bands.append(blake3(piece).digest())
    del bands[-1]  # that of the index is not needed: a wrong index leads to bytes with another digest
    return {"shard": whole.hexdigest(), "bands": base64.b64encode(b"".join(bands)).decode()}


def _unpacked(bands: str, count: int) -> list[bytes]:
    packed = base64.b64decode(bands, validate=True)
    if len(packed) != count * _DIGEST_BYTES:
        raise ValueError(f"{len(packed)} bytes of digests for {count} bands")
    return [packed[start : start + _DIGEST_BYTES] for start in range(0, len(packed), _DIGEST_BYTES)]


def encode(distances: NDArray[np.float32], scale: float) -> Iterator[bytes]:
    """Yield the pieces of the shard file of a (V, V) matrix in stored order: chunks, then the index.

    The bytes are those that zarr-python would write, in a third of the time and without its copies of the matrix.
    """
    n = len(distances)
    codes, residuals = np.empty((BAND, n), np.uint16), np.empty((BAND, n), np.uint16)
    index, offset = [], 0
    for top in range(0, n, BAND):
        layout.quantise_band(distances, top, scale, codes)
        predict(codes, residuals)
        body = blosc.compress(residuals, b"lz4", 5, blosc.BITSHUFFLE)
        index.append((offset, len(body) + _CRC_BYTES))
        offset += index[-1][1]
        yield body + _crc(body)
    packed = np.array(index, "<u8").tobytes()
    yield packed + _crc(packed)


def _crc(data: bytes) -> bytes:
    return google_crc32c.value(data).to_bytes(_CRC_BYTES, "little")


def _is_ours(metadata: dict, n: int) -> bool:
    """Return whether the Zarr metadata describe the one layout that this module decodes."""
    shard = metadata["codecs"][0]
    inner = shard.get("configuration", {})
    return (
        metadata["shape"] == [n, n]
        and metadata["data_type"] == "uint16"
        and shard["name"] == "sharding_indexed"
        and inner["chunk_shape"] == [BAND, n]
        and inner.get("index_location", "end") == "end"
        and [c["name"] for c in inner["codecs"]] == [CODEC_NAME, "bytes", "blosc", "crc32c"]
        and [c["name"] for c in inner["index_codecs"]] == ["bytes", "crc32c"]
    )


def _is_upper(rows: Ranks, cols: Ranks) -> NDArray[np.bool_]:
    return cols >= (rows // BAND * BAND)[:, None]


@njit(cache=True, nogil=True)
def _gather(residuals: Codes, first: int, rows: Ranks, cols: Ranks, out: Codes) -> None:
    """Decode some rows (sorted, within the band) at some columns (sorted, >= first).

    The sums down and right commute. Summing down first runs on whole vectors and stops at the last row needed; the
    serial sum to the right is then done only for the rows needed. All columns before ``first`` are zero.
    """
    if len(cols) == 0:
        return
    width = cols[-1] + 1 - first
    down = np.zeros(width, np.uint16)
    line = np.empty(width, np.uint16)
    top = 0
    for k in range(len(rows)):
        for i in range(top, rows[k] + 1):
            row = residuals[i, first : first + width]
            for j in range(width):
                down[j] += (row[j] >> ONE) ^ (ZERO - (row[j] & ONE))
        top = rows[k] + 1
        total = ZERO
        for j in range(width):
            total = np.uint16(total + down[j])
            line[j] = total
        for m in range(len(cols)):
            out[k, m] = line[cols[m] - first]


@njit(cache=True, nogil=True)
def _mirror(codes: Codes) -> None:
    """Fill in the lower half by tiles, in place."""
    n, tile = len(codes), 64
    for top in range(0, n, tile):
        for left in range(0, top + tile, tile):
            for i in range(top, min(n, top + tile)):
                for j in range(left, min(i, left + tile)):
                    codes[i, j] = codes[j, i]
