"""A bundle: what is in it and what is not, the same bytes from the same results, and what its check refuses."""

import csv
import hashlib
import io
import json
import os
import zipfile

import pytest
from chain import DATASET, RAW, Chain
from conftest import ROOT
from typer.testing import CliRunner

from repose.audit.audit import Audit
from repose.audit.tree import grow
from repose.bundle import verify, write
from repose.bundle.cite import authors_in
from repose.bundle.contents import contents_of
from repose.bundle.verify import SUMS, verify_bundle
from repose.bundle.write import write_bundle
from repose.cli import app
from repose.errors import ReposeError
from repose.provenance.manifest import manifest_path


def audited(chain):
    return Audit(grow(manifest_path(chain.table)), [], False)


@pytest.fixture(scope="module", params=["open", "supplied"])
def made(request, tmp_path_factory):
    """A chain of artefacts with pages, and its bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    chain = Chain(folder / "results", supplied=request.param == "supplied")
    site = chain.results.site
    for page in (
        "index.html",
        f"bodies/{DATASET}/index.js",
        f"bodies/{DATASET}/id0_1.js",
        f"pictures/{DATASET}/0.png",
    ):
        (site / page).parent.mkdir(parents=True, exist_ok=True)
        (site / page).write_text(page)
    chain.make("site", site, lambda p: None, {"table:table1": chain.table})
    chain.written, chain.notes = write_bundle(audited(chain), ROOT, folder / "out" / "bundle.zip")
    chain.bundle = folder / "out" / "bundle.zip"
    return chain


OPEN = pytest.mark.parametrize("made", ["open"], indirect=True)


def members(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_all_that_may_be_given_away_is_in_it_and_the_rest_is_named(made):
    found = members(made.bundle)
    run = f"{DATASET}/npt/seed0"
    always = {
        "results/table1.csv",
        f"results/scores/{run}.parquet",
        f"results/splits/{DATASET}/train.parquet",
    }
    always |= {
        "site/index.html",
        f"site/bodies/{DATASET}/index.js",
        "ro-crate-metadata.json",
        "Snakefile",
        "LICENSE",
    }
    bodies = {f"results/runs/{run}/model.safetensors", f"results/predictions/{run}.zarr/c/0"}
    bodies |= {
        f"results/predictions/{run}.zarr.b3",
        f"site/bodies/{DATASET}/id0_1.js",
        f"site/pictures/{DATASET}/0.png",
    }
    data = {name for name in found if name.startswith("results/data/")}
    never = {name for name in data if not name.endswith(".manifest.json")}
    assert always <= found.keys() and not never
    assert bodies & found.keys() == (set() if made.supplied else bodies)
    left = {row["file"]: row for row in rows(found["LEFT-OUT.csv"])}
    assert f"results/data/{DATASET}/meshes.zarr" in left
    raw = {f"data/{DATASET}: {path}" for path in RAW}
    assert raw & left.keys() == (raw if made.supplied else set()), (
        "a reader can see whether theirs are the same"
    )
    assert any("user-supplied" in note for note in made.notes) == made.supplied
    assert all(note in found["README.md"].decode() for note in made.notes)
    graph = {e["@id"]: e for e in json.loads(found["ro-crate-metadata.json"])["@graph"]}
    place = f"results/runs/{run}/model.safetensors"
    assert (place in graph) != made.supplied and (f"#{place}" in graph) == made.supplied


def test_every_file_has_a_digest_and_a_licence(made):
    found = members(made.bundle)
    sums = dict(reversed(line.split("  ", 1)) for line in found[SUMS].decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in found.items() if name != SUMS}
    licences = {row["file"]: row["licence"] for row in rows(found["LICENCES.csv"])}
    assert licences.keys() == found.keys() and "unknown" not in licences.values()
    own = "research only" if made.supplied else "CC0-1.0"
    assert licences[f"results/scores/{DATASET}/npt/seed0.parquet"] == own and licences["Snakefile"] == "MIT"
    assert licences["site/index.html"] == (f"MIT AND {own}" if made.supplied else f"{own} AND MIT")


def test_archives_are_told_who_what_when_and_under_which_licence(made, tmp_path):
    found = members(made.bundle)
    data, zenodo = (json.loads(found[name]) for name in ("datacite.json", ".zenodo.json"))
    mandatory = {"creators", "titles", "publisher", "publicationYear", "types", "schemaVersion"}
    assert mandatory <= data.keys() and data["types"]["resourceTypeGeneral"] == "Dataset"
    assert {"title", "upload_type", "description", "creators", "access_right", "license"} <= zenodo.keys()
    assert data["creators"][0]["name"] == zenodo["creators"][0]["name"] == "The repose authors"
    assert {r["rights"] for r in data["rightsList"]} == {
        "MIT",
        "research only" if made.supplied else "CC0-1.0",
    }
    assert data["dates"][0]["date"].startswith(data["publicationYear"])
    person = tmp_path / "CITATION.cff"
    person.write_text(
        "authors: [{family-names: Doe, given-names: Jane, orcid: https://orcid.org/0000-0002-1825-0097}]"
    )
    assert authors_in(person)[0]["name"] == "Doe, Jane" and authors_in(person)[0]["kind"] == "Personal"
    person.write_text("title: x")
    with pytest.raises(ReposeError, match="names no authors"):
        authors_in(person)


def test_the_same_results_are_the_same_bytes(made, tmp_path):
    os.utime(made.table, (1e9, 1e9))
    again, _ = write_bundle(audited(made), ROOT, tmp_path / "again.zip")
    assert again == made.written and (tmp_path / "again.zip").read_bytes() == made.bundle.read_bytes()


@OPEN
def test_what_cannot_be_published_leaves_nothing(made, tmp_path, monkeypatch):
    found = audited(made)
    found.root.faults.append("a number is another one")
    with pytest.raises(ReposeError, match="does not hold"):
        write_bundle(found, ROOT, tmp_path / "a.zip")
    with pytest.raises(ReposeError, match="no LICENSE here"):
        write_bundle(audited(made), tmp_path, tmp_path / "a.zip")
    with pytest.raises(ReposeError, match=r"is a \.zip"):
        write_bundle(audited(made), ROOT, tmp_path / "a.tar")
    contents = contents_of(audited(made), ROOT)
    contents.stated["results/table1.csv"] = "0" * 64
    with pytest.raises(ReposeError, match="changed while it was published"):
        write.pack(contents, tmp_path / "a.zip")
    assert not list(tmp_path.iterdir())


@OPEN
def test_pages_of_other_results_are_left_out(made):
    chain, site = made, made.results.site
    before = chain.table.read_bytes()
    try:
        chain.tables()  # the same numbers
        assert "site/index.html" in contents_of(audited(chain), ROOT).files
        chain.make("tables", chain.table, lambda p: p.write_bytes(before + b"\n"))
        found = contents_of(audited(chain), ROOT)
        assert not any(name.startswith("site/") for name in found.files)
        assert any("another state of the results" in note for note in found.notes)
        manifest_path(site).rename(site / "aside")
        assert any("it was not made" in note for note in contents_of(audited(chain), ROOT).notes)
    finally:
        (site / "aside").rename(manifest_path(site))
        chain.tables()


def rebuilt(bundle, out, change):
    """The bundle with other members: `change` edits a mapping of names to bytes."""
    found = members(bundle)
    change(found)
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return out


def listed(found, name, data):
    found[name] = data
    found[SUMS] += f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode()


TABLE = "results/table1.csv"


@OPEN
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda f: f.update({TABLE: f[TABLE].replace(b"1.5", b"1.4", 1)}),
            "table1.csv is not what SHA256SUMS says",
        ),
        (lambda f: f.pop(TABLE), "table1.csv is missing"),
        (lambda f: f.update({"results/more.csv": b""}), "more.csv is in no list"),
        (lambda f: f.pop(SUMS), "has no SHA256SUMS"),
        (lambda f: listed(f, "../out", b"x"), "'../out' is not inside its folder"),
        (lambda f: listed(f, "/etc/out", b"x"), "'/etc/out' is not inside its folder"),
        (lambda f: listed(f, TABLE.upper(), b"x"), "is there twice, or in another case"),
        (lambda f: f.update({SUMS: f[SUMS] + b"?\n"}), "has the line '?'"),
        (lambda f: f.update({SUMS: f[SUMS] * 2}), "names a file twice"),
    ],
)
def test_what_was_changed_is_refused(made, tmp_path, change, said):
    with pytest.raises(ReposeError) as refused:
        verify_bundle(rebuilt(made.bundle, tmp_path / "b.zip", change))
    assert said in str(refused.value)


@OPEN
def test_a_bundle_that_was_made_anew_has_another_digest(made, tmp_path):
    other = rebuilt(made.bundle, tmp_path / "b.zip", lambda f: listed(f, "more", b"x"))
    assert verify_bundle(other).digest != made.written.digest == verify_bundle(made.bundle).digest
    done = CliRunner().invoke(app, ["verify", str(made.bundle), "--expect", made.written.digest[:12]])
    assert done.exit_code == 0 and made.written.digest in done.stdout
    with pytest.raises(ReposeError, match="its digest is"):
        verify_bundle(other, made.written.digest[:12])


@OPEN
def test_bombs_links_and_what_is_no_zip_are_refused(made, tmp_path, monkeypatch):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1 << 20))
    with pytest.raises(ReposeError, match="zeros is packed"):
        verify_bundle(bomb)
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ReposeError, match="link is no plain file"):
        verify_bundle(tmp_path / "link.zip")
    data = made.bundle.read_bytes()
    for cut in (b"", b"<html>", data[: len(data) // 2], data[:-1]):
        bomb.write_bytes(cut)
        with pytest.raises(ReposeError, match="is no sound zip"):
            verify_bundle(bomb)
    monkeypatch.setattr(verify, "MAX_DIRECTORY", 100)
    with pytest.raises(ReposeError, match="more than 100 bytes of names"):
        verify_bundle(made.bundle)
    with pytest.raises(ReposeError, match="no such file|No such file"):
        verify_bundle(tmp_path / "nowhere.zip")
