"""Archives nobody vouched for: each trick is refused with its reason, and nothing is left behind."""

import gzip
import io
import os
import shutil
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repose.raw.archive import ArchiveError, Limits, names, unpack

FILES = {"set/a.obj": b"v 0 0 0\n" * 40, "set/deep/b.obj": b"v 1 0 0\n", "readme.txt": b"hello"}


def make_zip(path: Path, files=FILES, **info) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            for key, value in info.items():
                setattr(entry, key, value)
            archive.writestr(entry, content)
    return path


def make_tar(path: Path, files=FILES, **info) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for key, value in info.items():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(content))
    return path


MAKERS = {"zip": (make_zip, "x.zip"), "tar": (make_tar, "x.tar"), "tar.gz": (make_tar, "x.tar.gz")}
every_format = pytest.mark.parametrize("kind", MAKERS)


def make(kind, folder: Path, files=FILES, **info) -> Path:
    maker, name = MAKERS[kind]
    return maker(folder / name, files, **info)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(archive: Path, says: str, **options) -> str:
    """Unpack in vain: the reason must match, and the folder must stay as it was."""
    before = everything(archive.parent)
    with pytest.raises(ArchiveError, match=says) as caught:
        unpack(archive, archive.parent / "out", **options)
    assert everything(archive.parent) == before
    assert [p for p in archive.parent.iterdir() if p != archive] == []
    assert str(caught.value).startswith(str(archive)) and "\n" not in str(caught.value)
    return str(caught.value)


@every_format
def test_unpacks_what_is_wanted(kind, tmp_path):
    archive = make(kind, tmp_path)
    assert sorted(unpack(archive, tmp_path / "all")) == sorted(FILES)
    assert everything(tmp_path / "all") == FILES
    assert unpack(archive, tmp_path / "some", lambda name: name.endswith("b.obj")) == ["set/deep/b.obj"]
    assert everything(tmp_path / "some") == {"set/deep/b.obj": FILES["set/deep/b.obj"]}
    assert not (tmp_path / "all" / "readme.txt").stat().st_mode & stat.S_IXUSR


@every_format
def test_a_leading_dot_is_no_climb(kind, tmp_path):
    archive = make(kind, tmp_path, {"./a/./b": b"1"})
    assert unpack(archive, tmp_path / "out") == ["a/b"]


@every_format
@pytest.mark.parametrize("name", ["../x", "a/../../x", "a/..", ".."])
def test_a_path_that_climbs(kind, name, tmp_path):
    refused(make(kind, tmp_path, {"fine": b"1", name: b"2"}), "climbs out")


@every_format
@pytest.mark.parametrize("name", ["/etc/x", "//x", "C:/x", "c:x"])
def test_an_absolute_path(kind, name, tmp_path):
    refused(make(kind, tmp_path, {"fine": b"1", name: b"2"}), "absolute path")


@every_format
@pytest.mark.parametrize("name", ["a\\b", "..\\x", "a\nb", "a\x1bb"])
def test_a_path_with_a_character_that_means_something_elsewhere(kind, name, tmp_path):
    refused(make(kind, tmp_path, {name: b"2"}), "character")


@every_format
@pytest.mark.parametrize("name", ["a//b", "x" * 300, "/".join(["y" * 90] * 12)])
def test_a_path_that_cannot_be_used(kind, name, tmp_path):
    refused(make(kind, tmp_path, {name: b"2"}), "no usable path")


def test_a_symbolic_link_in_a_zip(tmp_path):
    link = make_zip(tmp_path / "x.zip", {"a": b"/etc"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
    refused(link, "'a' is a link")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_tar(kind, tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        link = tarfile.TarInfo("a")
        link.type, link.linkname = kind, "../../target"
        archive.addfile(link)
    refused(tmp_path / "x.tar", "'a' is a link")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_or_pipe_in_a_tar(kind, tmp_path):
    refused(make_tar(tmp_path / "x.tar", {"a": b""}, type=kind), "device or a pipe")


def test_a_device_in_a_zip(tmp_path):
    refused(make_zip(tmp_path / "x.zip", external_attr=stat.S_IFCHR << 16), "device or a pipe")


@pytest.mark.parametrize("kind", [tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, b"Q"])
def test_an_odd_member_of_a_tar(kind, tmp_path):
    refused(make_tar(tmp_path / "x.tar", {"a": b""}, type=kind), "neither a plain file|cut short|damaged")


@every_format
def test_a_bomb_of_many_members(kind, tmp_path):
    archive = make(kind, tmp_path, {f"f{k}": b"" for k in range(30)})
    refused(archive, "more than 29 members", limits=Limits(members=29))
    assert len(unpack(archive, tmp_path / "out", limits=Limits(members=30))) == 30


@every_format
def test_a_bomb_of_many_bytes(kind, tmp_path):
    archive = make(kind, tmp_path, {f"f{k}": os.urandom(1000) for k in range(5)})
    refused(archive, "more than 4999 bytes", limits=Limits(bytes=4999))


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_that_shrinks_too_well(kind, tmp_path):
    message = refused(make(kind, tmp_path, {"zeros": bytes(30 << 20)}), "bomb")
    assert str(30 << 20) in message


def test_a_zip_that_lies_about_a_size(tmp_path):
    archive = make_zip(tmp_path / "x.zip", {"a": b"x" * 5000})
    data = bytearray(archive.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 10)
    archive.write_bytes(data)
    refused(archive, "damaged|larger")


def test_a_tar_header_of_gigabytes(tmp_path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 8 << 30
    (tmp_path / "x.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    refused(tmp_path / "x.tar", "header of 8589934592 bytes")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def extended(records: bytes, members: int) -> bytes:
    """A tar of empty files, each behind an extended header of these records."""
    out = b""
    for k in range(members):
        header = tarfile.TarInfo("pax")
        header.type, header.size = tarfile.XHDTYPE, len(records)
        out += header.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)
        out += tarfile.TarInfo(f"f{k}").tobuf(tarfile.USTAR_FORMAT)
    return out + bytes(1024)


def test_headers_of_a_tar_cost_no_more_than_they_take(tmp_path):
    records = b"5 a=\n" * 12_000
    (tmp_path / "x.tar").write_bytes(extended(b"11 path=ok\n", 1))
    assert unpack(tmp_path / "x.tar", tmp_path / "sound") == ["ok"]
    shutil.rmtree(tmp_path / "sound")
    (tmp_path / "x.tar").write_bytes(extended(records * 2, 1))
    refused(tmp_path / "x.tar", "a header of 120320 bytes")
    (tmp_path / "x.tar").write_bytes(extended(records, 2))
    refused(tmp_path / "x.tar", "too many lines in its headers", limits=Limits(records=20_000))
    (tmp_path / "x.tar").write_bytes(gzip.compress(extended(records, 40)))
    refused(tmp_path / "x.tar", "unpacks to 1[0-9]{6} bytes or more")


@every_format
def test_a_name_given_twice(kind, tmp_path):
    refused(make(kind, tmp_path, [("a/b", b"1"), ("a/b", b"2")]), "there twice")
    (tmp_path / MAKERS[kind][1]).unlink()
    refused(make(kind, tmp_path, [("a/b", b"1"), ("./a/b", b"2")]), "there twice")


@every_format
@pytest.mark.parametrize("pair", [("a/B", "a/b"), ("A/x", "a/y"), ("\u00e9", "e\u0301")])
def test_names_that_collide_where_case_does_not_count(kind, pair, tmp_path):
    refused(make(kind, tmp_path, dict.fromkeys(pair, b"1")), "differ in case only")


@every_format
def test_a_file_that_is_also_a_folder(kind, tmp_path):
    refused(make(kind, tmp_path, {"a": b"1", "a/b": b"2"}), "file and a folder")


@pytest.mark.parametrize(
    "page",
    [b"<!DOCTYPE html><title>Quota exceeded</title>", b"\xef\xbb\xbf \n<HTML>", b"<?xml version='1.0'?>"],
)
@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_a_web_page_saved_as_an_archive(page, name, tmp_path):
    (tmp_path / name).write_bytes(page)
    assert "signed in" in refused(tmp_path / name, "a web page, not an archive")


def test_a_password(tmp_path):
    archive = make_zip(tmp_path / "x.zip", {"a": b"1"})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert "unpack it yourself" in refused(archive, "needs a password")


def test_a_method_that_is_not_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"1")
    assert "unpack it yourself" in refused(tmp_path / "x.zip", "method 14")


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a", "rar"),
        (b"BZh9", "bzip2"),
        (b"", "empty"),
        (b"rubbish", "not a zip"),
    ],
)
def test_formats_that_are_not_read(start, says, tmp_path):
    (tmp_path / "x.zip").write_bytes(start)
    refused(tmp_path / "x.zip", says)


def test_the_first_bytes_count_not_the_name(tmp_path):
    make_zip(tmp_path / "a.zip").rename(tmp_path / "x.tar.gz")
    assert sorted(unpack(tmp_path / "x.tar.gz", tmp_path / "out")) == sorted(FILES)


@every_format
def test_cut_short_anywhere(kind, tmp_path):
    content = make(kind, tmp_path).read_bytes()
    path = tmp_path / MAKERS[kind][1]
    # A tar ends in blocks of zeros, of which one is enough.
    end = len(content.rstrip(b"\0")) if kind == "tar" else len(content)
    for length in range(0, end, 37):
        path.write_bytes(content[:length])
        refused(path, "damaged|cut short|not a zip|empty")


def test_a_refusal_keeps_what_was_unpacked_before(tmp_path):
    unpack(make_zip(tmp_path / "x.zip"), tmp_path / "out")
    with pytest.raises(ArchiveError):
        unpack(make_zip(tmp_path / "y.zip", {"fine": b"1", "../x": b"2"}), tmp_path / "out")
    assert everything(tmp_path / "out") == FILES and not (tmp_path.parent / "x").exists()


def test_names_are_read_without_unpacking(tmp_path):
    assert sorted(names(make_zip(tmp_path / "x.zip")) or []) == sorted(FILES)
    assert names(make_tar(tmp_path / "x.tar.gz")) is None


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(MAKERS)),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
)
def test_damaged_bytes_unpack_inside_the_target_or_not_at_all(tmp_path_factory, kind, cut, edits):
    folder = tmp_path_factory.mktemp("damaged")
    archive = make(kind, folder)
    content = bytearray(archive.read_bytes())
    for place, byte in edits:
        content[place % len(content)] = byte
    archive.write_bytes(content[: cut % (2 * len(content)) or len(content)])
    try:
        written = unpack(archive, folder / "out", limits=Limits(members=100, bytes=1 << 20))
    except ArchiveError:
        assert [p.name for p in folder.iterdir()] == [archive.name]
        return
    assert {p.name for p in folder.iterdir()} == {archive.name, "out"}
    assert sorted(everything(folder / "out")) == sorted(written)
    assert not any(p.is_symlink() for p in (folder / "out").rglob("*"))
