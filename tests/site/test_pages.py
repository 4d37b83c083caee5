"""The pages of a small tree of results: whole, closed in themselves, and deaf to what names say."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest

from repose.audit.audit import audit
from repose.site.bodies import Pairs, packed
from tests.site.tree import BASELINE, DATASET, HOSTILE, METHOD, PAIRS


class Page(HTMLParser):
    """Addresses, tags and text of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.addresses, self.tags, self.texts, self._script = path, [], [], [], False
        self.data = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        self.addresses += [given[name] for name in ("href", "src") if given.get(name)]
        self._script = tag == "script"

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script:
            self.data += data
        else:
            self.texts.append(data)


@pytest.fixture(scope="module")
def pages(made):
    return {p.relative_to(made.site).as_posix(): Page(p) for p in made.site.rglob("*.html")}


def page(pages, start):
    (found,) = [page for name, page in pages.items() if name.startswith(start)]
    return found


def test_every_link_leads_to_a_file_of_the_site(pages, made):
    assert len(pages) == 1 + 1 + 1 + 2 + 2  # overview, table, dataset, methods, pairs
    for name, one in pages.items():
        for address in one.addresses:
            parts = urlsplit(address)
            assert parts.scheme in ("", "data") and not parts.netloc, (name, address)
            if parts.path and not parts.scheme:
                there = (one.path.parent / unquote(parts.path)).resolve()
                assert there.is_file() and there.is_relative_to(made.site.resolve()), (name, address)


def test_every_body_that_a_page_names_is_there(pages, made):
    for method in (BASELINE, METHOD):
        start = "copy" if method == BASELINE else "-script"
        data = json.loads(page(pages, f"pairs/{DATASET}/{start}").data)
        shown = data["protocols"]["unseen"]["shown"]
        assert {"0", str(PAIRS // 2), str(PAIRS - 1)} <= set(shown), "best, median and worst"
        for address in (data["faces"], *data["names"].values(), *shown.values()):
            assert f'"{address}"' in (made.site / address).read_text()
        assert len(data["protocols"]["unseen"]["triples"]) == PAIRS


def test_no_page_asks_for_anything_elsewhere(made):
    # The bundled library names a namespace of XML, which nobody asks for anything.
    allowed = {"http://www.w3.org/1999/xhtml"}
    for file in made.site.rglob("*"):
        if file.suffix in (".html", ".js", ".css"):
            text = file.read_text(encoding="utf-8")
            assert (
                set(re.findall(r"(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s\"'`)<]*", text)) <= allowed
            ), file


def test_hostile_names_and_texts_stay_text(pages):
    known = {"site.js", "viewer.js", "pairs.js", "three.min.js", "index.js"}
    for name, one in pages.items():
        for tag, given in one.tags:
            if tag == "script":
                assert given.get("type") == "application/json" or given["src"].rpartition("/")[2] in known, (
                    name
                )
            assert not any(attribute.startswith("on") for attribute in given), name
    assert METHOD in page(pages, "tables/").texts
    assert HOSTILE in page(pages, "datasets/").texts, "the licence"
    assert any(HOSTILE in text for text in page(pages, "methods/-script").texts), "a setting"
    assert "alert" in page(pages, "tables/").data and "</script" not in page(pages, "tables/").data


def test_a_local_path_is_not_told(made):
    for file in made.site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "/home/me" not in text and str(made.tree.root) not in text, file


def test_the_table_carries_every_row_and_number_with_its_lineage_and_commands(pages, made):
    table = pd.read_csv(made.tree.csv, dtype=str, keep_default_na=False)
    one = page(pages, "tables/")
    data = json.loads(one.data)
    assert [row["cells"] for row in data["rows"]] == table.to_dict("records")
    latex = made.tree.csv.with_suffix(".tex").read_text()
    assert latex == "\n".join([data["latex"]["head"], *data["latex"]["rows"], data["latex"]["foot"]])
    values = [given["data-value"] for tag, given in one.tags if tag in ("td", "th") and "data-value" in given]
    for column in ("method", "told", "pmd_e4", "mpve_mm", "parameters"):
        assert set(table[column]) <= set(values), column
    roles = [given["data-role"] for tag, given in one.tags if "data-role" in given]
    assert roles == ["baseline", "method"]

    found = audit(made.tree.csv)
    assert not found.faults
    assert set(data["nodes"]) == {node.place for node in found.nodes}
    for node in found.nodes:
        told = data["nodes"][node.place]
        assert told["sha256"] == node.manifest.digest and told["bytes"] == node.bytes
        assert told["from"] == {name: parent.place for name, parent in node.parents.items()}
    for row, audited in zip(data["rows"], found.rows, strict=True):
        assert row["branches"] == list(audited.branches)
    lines = [line for _, line in data["rows"][1]["commands"]]
    quoted = f"'dataset={DATASET},method={METHOD},protocol=unseen'"
    assert f"repose audit results/table1.csv --cell {quoted}" in lines
    assert f"repose train {DATASET} '{METHOD}' --seed 0" in lines
    assert not any(line.startswith("repose train") for _, line in data["rows"][0]["commands"])


def test_the_site_is_an_artefact_whose_chain_holds(made):
    found = audit(made.site)
    assert not found.faults
    assert found.root.manifest.content["describe"] == {"pages": 7, "tables": 1}
    assert {"table:table1", f"store:{DATASET}"} <= set(found.root.manifest.history["inputs"])


def test_bodies_are_exact_to_half_a_step(made):
    vertices = made.tree.store.vertices(np.array([4]))[0]
    data = packed(vertices)
    head, steps = np.frombuffer(data[:16], "<f4"), np.frombuffer(data[16:], "<u2").reshape(-1, 3)
    again = head[:3] + head[3] * steps
    assert head[3] < 5e-5 * np.ptp(vertices, axis=0).max() and np.abs(again - vertices).max() < 0.6 * head[3]
    script = (made.site / f"bodies/{DATASET}/faces.js").read_text()
    faces = np.frombuffer(base64.b64decode(re.search(r',"([^"]+)"\)', script)[1]), "<u4").reshape(-1, 3)
    assert np.array_equal(faces, made.tree.store.faces)


def test_pairs_that_all_show_and_best_median_and_worst_of_each():
    values = [5.0, 1, 4, 9, 2, 3, 8, 7, 6]
    pairs = Pairs([["a", "b", "c"]] * 9, {"pmd_m2": values})
    assert pairs.ranked[0] == 1 and pairs.ranked[-1] == 3
    assert pairs.chosen(2) == sorted({0, 8, 1, 3}) and pairs.chosen(None) == list(range(9))


def test_the_bundled_library_is_the_one_that_is_told():
    assets = files("repose.site.assets")
    told = json.loads(assets.joinpath("three.json").read_text())
    bundle = assets.joinpath(told["file"]).read_bytes()
    assert hashlib.sha256(bundle).hexdigest() == told["sha256"]
    assert (
        told["version"].encode() in bundle[:80]
        and "MIT License" in assets.joinpath("three.LICENSE").read_text()
    )
