"""Whoever reads a part of a store reads what the manifest states, or is refused in one line."""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provenance.stores import every_kind, read

from repose.errors import ReposeError
from repose.provenance.listing import blake3_of_file, entries_of, fingerprint, list_path
from repose.provenance.manifest import history_path, manifest_path, verify
from repose.provenance.stated import stated
from repose.store import pack

KINDS = ("meshes", "images", "distances", "predictions")
UNREAD = {"predictions": {"zarr.json"}, "distances": {".lock"}}  # files that no reader of numbers opens


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "CHUNK_BYTES", 2 * 12 * 42)  # two meshes
        return every_kind(tmp_path_factory.mktemp("stores"))


class changed:
    """A file has another content for a while."""

    def __init__(self, path, content):
        self.path, self.content = path, content

    def __enter__(self):
        self.before = self.path.read_bytes()
        self.path.write_bytes(self.content)

    def __exit__(self, *error):
        self.path.write_bytes(self.before)


def flipped(path, place=None, bit=1):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= bit
    return changed(path, bytes(content))


def refuse(kind, path):
    with pytest.raises(ReposeError) as refused:
        read(kind, path)
    assert "\n" not in str(refused.value) and str(refused.value.where).startswith(str(path.parent))


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_byte_in_any_file_is_refused_by_the_reader(stores, kind):
    path = stores[kind]
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    names = {file.relative_to(path).as_posix() for file in files}
    assert len(names) > 3 and names == set(entries_of(list_path(path).read_text()))
    for file in files:
        if file.relative_to(path).as_posix() not in UNREAD.get(kind, ()):
            with flipped(file):
                refuse(kind, path)
    assert read(kind, path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_gives_the_same_numbers_or_one_line(stores, data):
    kind = data.draw(st.sampled_from(KINDS))
    path = stores[kind]
    expected, beside = (
        read(kind, path),
        [manifest_path(path), history_path(manifest_path(path)), list_path(path)],
    )
    files = [file for file in (*sorted(path.rglob("*")), *beside) if file.is_file() and file.stat().st_size]
    file = data.draw(st.sampled_from(files))
    place, bit = data.draw(st.integers(0, file.stat().st_size - 1)), data.draw(st.integers(1, 255))
    with flipped(file, place, bit):
        try:
            found = read(kind, path)
        except ReposeError as error:
            assert "\n" not in str(error)
        else:
            assert all(map(np.array_equal, found, expected))
        with pytest.raises(ReposeError):
            verify(manifest_path(path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_is_gone_or_another_is_refused(stores, kind):
    path, listing = stores[kind], list_path(stores[kind])
    lines = listing.read_text().splitlines(keepends=True)
    for content in ("".join(lines[1:]), "".join([*lines, f"{'0' * 64}  more\n"]), "".join(reversed(lines))):
        with changed(listing, content.encode()):
            refuse(kind, path)
            with pytest.raises(ReposeError, match="does not match the manifest"):
                verify(manifest_path(path), hashed=False)
    listing.rename(listing.with_suffix(".away"))
    for hashed in (False, True):
        with pytest.raises(ReposeError, match=f"{listing.name}, the list of the files of .* is missing"):
            verify(manifest_path(path), hashed)
    refuse(kind, path)
    listing.with_suffix(".away").rename(listing)


@pytest.mark.parametrize("change", ["planted", "planted-folder", "missing", "longer", "link"])
def test_names_and_sizes_are_compared_before_anything_is_read(stores, tmp_path, change):
    path = tmp_path / "meshes.zarr"
    for one in (stores["meshes"], list_path(stores["meshes"]), manifest_path(stores["meshes"])):
        (shutil.copytree if one.is_dir() else shutil.copy)(one, tmp_path / one.name)
    shutil.copy(history_path(manifest_path(stores["meshes"])), tmp_path)
    verify(manifest_path(path), hashed=False)
    chunk = path / "vertices" / "c" / "1" / "0" / "0"
    match change:
        case "planted":
            (path / "face").write_text("planted")
        case "planted-folder":
            (path / "face").mkdir()
        case "missing":
            chunk.unlink()
        case "longer":
            chunk.write_bytes(chunk.read_bytes() + b"0")
        case "link":
            chunk.rename(tmp_path / "elsewhere")
            chunk.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReposeError, match="does not match its manifest|no links"):
        verify(manifest_path(path), hashed=False)


def test_a_file_that_is_not_listed_is_refused_when_it_is_read(stores):
    path = stores["meshes"]
    files, planted = stated(path), path / "planted"
    planted.write_bytes(b"planted")
    for check in (lambda: files.check(planted, b"planted"), lambda: files.check_file(planted)):
        with pytest.raises(ReposeError, match="is none of the files in the manifest"):
            check()
    planted.unlink()
    chunk = path / "faces" / "c" / "0" / "0"
    chunk.rename(path / "away")
    for check in (lambda: files.check_missing(chunk), lambda: files.check_file(chunk)):
        with pytest.raises(ReposeError, match="is missing, but the manifest"):
            check()
    refuse("meshes", path)  # Zarr leaves out chunks of zeros
    (path / "away").rename(chunk)


def test_nothing_is_stated_of_a_folder_without_a_manifest(tmp_path):
    files = stated(tmp_path / "own.zarr")
    files.check(tmp_path / "own.zarr" / "zarr.json", b"anything")
    assert files.digest(tmp_path / "own.zarr" / "zarr.json") is None


@pytest.mark.parametrize("name", ["two\nlines", "back\\slash"])
def test_names_that_a_list_cannot_have_are_refused(tmp_path, name):
    (tmp_path / "x.zarr").mkdir()
    (tmp_path / "x.zarr" / name).touch()
    with pytest.raises(ReposeError, match="no usable name"):
        fingerprint(tmp_path / "x.zarr")


def test_a_list_has_the_form_of_b3sum(stores):
    path = stores["meshes"]
    for line in list_path(path).read_text().splitlines():
        digest, name = line.split("  ", 1)
        assert digest == blake3_of_file(path / name)
