"""The pages of a small tree of results: whole, closed in themselves, and deaf to what names say."""

import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from puppets import SIZE

from repose.audit.audit import audit
from repose.errors import MeshError
from repose.gih.compute import distances as heat
from repose.methods.registry import installed
from repose.metrics.meshes import METRICS
from repose.site.about import about
from repose.site.assets import STATIC
from repose.site.bodies import Writer, packed
from repose.site.digits import written
from repose.site.geodesics import MIDDLE, RANK, distances
from repose.site.pairs import Pairs
from tests.site.tree import BASELINE, COPIER, DATASET, DRAWER, GENERATOR, HOSTILE, IMAGES, METHOD, PAIRS


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
    assert len(pages) == 1 + 3 + 2 + 5 + 5  # overview, tables, datasets, methods, what each made
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
        assert len(data["protocols"]["unseen"]["items"]) == PAIRS


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
    known = {"index.js", *(name for name in STATIC if name.endswith(".js"))}
    for name, one in pages.items():
        for tag, given in one.tags:
            if tag == "script":
                assert given.get("type") == "application/json" or given["src"].rpartition("/")[2] in known, (
                    name
                )
            assert not any(attribute.startswith("on") for attribute in given), name
    assert METHOD in page(pages, "tables/table1").texts
    assert HOSTILE in page(pages, f"datasets/{DATASET}").texts, "the licence"
    assert any(HOSTILE in text for text in page(pages, "methods/-script").texts), "a setting"
    assert (
        "alert" in page(pages, "tables/table1").data and "</script" not in page(pages, "tables/table1").data
    )


def test_a_local_path_is_not_told(made):
    for file in made.site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "/home/me" not in text and str(made.tree.root) not in text, file


def test_the_table_carries_every_row_and_number_with_its_lineage_and_commands(pages, made):
    table = pd.read_csv(made.tree.csv, dtype=str, keep_default_na=False)
    one = page(pages, "tables/table1")
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
    assert found.root.manifest.content["describe"] == {"pages": 16, "tables": 3}
    assert {"table:table1", f"store:{DATASET}"} <= set(found.root.manifest.history["inputs"])


def test_bodies_are_exact_to_half_a_step(made):
    vertices = made.tree.store.vertices(np.array([4]))[0]
    head, steps = packed(vertices)
    again = head[:3] + head[3] * steps
    assert (
        head[3] < 1.3e-4 * np.ptp(vertices, axis=0).max() and np.abs(again - vertices).max() < 0.6 * head[3]
    )
    script = (made.site / f"bodies/{DATASET}/faces.js").read_text()
    assert np.array_equal(unwritten(script)[1].reshape(-1, 3), made.tree.store.faces)


def unwritten(script):
    """Floats and numbers of a script of the viewer."""
    _, head, count, text = json.loads(f"[{script.partition('(')[2].rpartition(')')[0]}]")
    digits = [code for code in map(chr, range(32, 127)) if code not in '"<\\/']
    numbers = np.array([digits.index(one) for one in text]).reshape(-1, count)
    return head, numbers @ 91 ** np.arange(count - 1, -1, -1)


@pytest.mark.parametrize("most", [8280, 8281, 91**3 - 1])
def test_numbers_are_written_with_as_many_digits_as_they_need(most):
    numbers = np.array([0, 1, 90, 91, most])
    script = written("a/b.js", np.array([0.5, -2], np.float32), numbers)
    head, again = unwritten(script)
    assert head == [0.5, -2] and np.array_equal(again, numbers)
    assert f"],{2 if most == 8280 else 3}," in script


def test_pairs_that_all_show_and_best_median_and_worst_of_each():
    values = [5.0, 1, 4, 9, 2, 3, 8, 7, 6]
    pairs = Pairs([["a", "b", "c"]] * 9, [METRICS[0]], {METRICS[0].name: values})
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


def test_the_page_of_a_method_says_what_the_paper_the_released_code_and_we_do(pages):
    one = page(pages, "methods/-script")
    heads = [text for text in one.texts if text.startswith("What ")]
    assert heads == ["What the paper says", "What the released code does", "What we do"]
    assert any("24,461,447 parameters" in text for text in one.texts)
    assert any(text == "method.width" for text in one.texts), "settings as run"


def test_every_method_that_tables_compare_has_such_a_text_and_no_other_page_is_needed_for_it():
    for name, settings in installed().items():
        if settings.compared:
            heads = re.findall(r"^## (.*)$", settings.about(), re.MULTILINE)
            assert heads == ["What the paper says", "What the released code does", "What we do"], name
            assert "](" not in settings.about(), f"{name}: a link would lead nowhere from the site"


def test_the_text_of_a_foreign_method_is_text(monkeypatch):
    text = (
        "# <b>x</b>\n<script>alert(1)</script>\n\n![i](https://a.example/i.png) [l](javascript:alert(1)) "
        "<https://a.example>\n\n| a |\n|---|\n| <i>b</i> |\n"
    )
    monkeypatch.setattr("repose.site.about.installed", lambda: {"mine": SimpleNamespace(about=lambda: text)})
    html = str(about("mine"))
    assert set(re.findall(r"<(\w+)", html)) == {"h2", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert "&lt;script&gt;" in html and not about("of nobody")


def test_pictures_of_a_pair_are_there_and_equal_ones_are_one_file(pages, made):
    found = {}
    for method, start in ((COPIER, "copy"), (DRAWER, "-img")):
        (one,) = json.loads(page(pages, f"pairs/{IMAGES}/{start}").data)["protocols"].values()
        found[method] = one["shown"]
        for pictures in one["shown"].values():
            assert [title for title, _ in pictures["given"]] == [
                *("source", "pose", "truth", "true flow", "true visibility", "true warp"),
            ]
            for _, address in (*pictures["given"], *pictures["drawn"]):
                with Image.open(made.site / address) as picture:
                    assert picture.size == SIZE[::-1] and picture.format == "PNG"
    first, drawn = dict(found[COPIER]["0"]["given"]), dict(found[DRAWER]["0"]["drawn"])
    assert list(drawn) == ["prediction", "flow", "visibility", "warp", "share of the warp"]
    assert dict(found[COPIER]["0"]["drawn"]) == {"prediction": first["source"]}
    assert (drawn["flow"], drawn["warp"]) == (first["true flow"], first["true warp"]), (
        "it predicts the true flow"
    )
    truth, prediction = (
        np.asarray(Image.open(made.site / address)) for address in (first["truth"], drawn["prediction"])
    )
    assert np.array_equal(truth, 255 - prediction)


def test_scores_of_images_rank_pairs_by_what_is_better_and_say_what_is_missing(pages):
    (one,) = json.loads(page(pages, f"pairs/{IMAGES}/-img").data)["protocols"].values()
    assert [metric["name"] for metric in one["metrics"]] == ["ssim_u7", "psnr_db"], (
        "an Inception score is of no pair"
    )
    assert one["ranked"] == list(reversed(range(PAIRS))) and one["rankedBy"] == "ssim_u7"
    assert one["values"]["psnr_db"] == [None, *[12.0] * (PAIRS - 1)]


def test_generated_poses_have_a_page(pages, made):
    protocols = json.loads(page(pages, f"pairs/{DATASET}/{GENERATOR}").data)["protocols"]
    names = {protocol: [name for name, _ in bodies] for protocol, bodies in protocols.items()}
    assert names == {
        "own-body": ["body 0, pose 0", "body 0, pose 2"],
        "new-body": ["body 1, pose 0", "body 2, pose 4"],
    }
    for bodies in protocols.values():
        assert all((made.site / address).is_file() for _, address in bodies)


def test_distances_are_those_of_the_heat_method_as_near_as_the_page_says(pages, made):
    store = made.tree.store
    vertices = store.vertices(np.array([4]))[0]
    scale, codes, error = distances(vertices, store.faces, "body")
    codes = codes - MIDDLE
    straight = np.linalg.norm(vertices[:, None] - vertices[None], axis=-1)
    again, true = np.maximum(codes * scale @ codes.T, straight), heat(vertices, store.faces).matrix
    assert codes.shape == (len(vertices), RANK) and np.abs(codes).max() == MIDDLE
    assert np.abs(again - true).mean() == pytest.approx(error, rel=1e-3)
    assert error < 0.005 * true.max() and np.abs(again - true).max() < 0.1 * true.max()
    assert any("Heat method, kept to" in text for text in page(pages, f"datasets/{DATASET}").texts)


def test_a_body_in_parts_has_no_distances_and_its_page_says_why(made, tmp_path):
    store = made.tree.store
    faces = store.faces[store.faces.max(axis=1) < 100]  # the other vertices are in no face
    with pytest.raises(MeshError):
        distances(store.vertices(np.array([0]))[0], faces, "body")
    few = SimpleNamespace(faces=faces, vertices=store.vertices, index_of=store.index_of)
    samples, said = Writer(tmp_path, "few", few).samples(["id0_0"])
    assert samples == [("id0_0", "bodies/few/id0_0.js", "")] and said.startswith("No distances: ")
