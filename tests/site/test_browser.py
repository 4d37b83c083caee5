"""The site in a real browser, opened from disk: nothing fails, bodies are seen and turn together, tables sort."""

import re
import warnings

import numpy as np
import pytest

from repose.gih.compute import distances as heat
from tests.site.browser import CHROMIUM, browser
from tests.site.tree import BASELINE, COPIER, DATASET, DRAWER, GENERATOR, IMAGES, METHOD, PAIRS

WINDOW = 800, 600  # pixels are drawn in software here
NO_BROWSER = "no Chromium here: the site is not tried in a browser (Debian has one of that name)"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    if CHROMIUM is None:
        warnings.warn(NO_BROWSER, stacklevel=1)  # pytest prints it, as it does not a skip
        pytest.skip(NO_BROWSER)
    with browser(tmp_path_factory.mktemp("profile")) as running:
        running.resize(*WINDOW)
        yield running


@pytest.fixture
def opened(chromium, made):
    """Opens a page of the site; at the end nothing may have failed, or been asked for elsewhere."""
    chromium.errors.clear()
    chromium.requests.clear()

    def open_page(start, hash=""):
        (path,) = [
            p for p in made.site.rglob("*.html") if p.relative_to(made.site).as_posix().startswith(start)
        ]
        chromium.open(path, hash)
        return chromium

    yield open_page
    assert chromium.errors == []
    root = made.site.resolve().as_uri()
    assert chromium.requests and all(r.startswith((root, "data:", "blob:")) for r in chromium.requests)


def panels(page):
    """Pixels of each panel of the viewer, below its name."""
    boxes = page.run(
        "[...document.querySelectorAll('.panel:not([hidden])')].map((p) => { const b = p.getBoundingClientRect();"
        " return [b.left, b.top, b.right, b.bottom].map(Math.round); })"
    )
    picture = page.picture()
    return [picture[top + 60 : bottom - 4, left + 4 : right - 4] for left, top, right, bottom in boxes]


def drawn(panel):
    """The share of a panel's pixels that are not of its background."""
    return (np.abs(panel.astype(int) - panel[0, 0]).max(axis=-1) > 12).mean()


def see(page):
    page.run("document.getElementById('viewer').scrollIntoView()")
    page.wait("repose.viewers[0].panels.every((p) => p.bodies.length)")


def test_every_page_opens_on_a_phone_and_by_night(opened, made, chromium):
    try:
        chromium.resize(390, 700, dark=True, phone=True)
        for path in made.site.rglob("*.html"):
            page = opened(path.relative_to(made.site).as_posix())
            assert page.run("document.title").endswith("repose"), path
            assert page.run("document.documentElement.scrollWidth") <= 390, path
            assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 26)", path
    finally:
        chromium.resize(*WINDOW)


def test_bodies_are_drawn_with_the_error_in_colour(opened):
    page = opened(f"pairs/{DATASET}/-script", f"#unseen/{PAIRS - 1}")
    see(page)
    found = panels(page)
    assert len(found) == 4 and all(0.05 < drawn(panel) < 0.9 for panel in found)
    saturation = [np.ptp(panel.astype(int), axis=-1).max() for panel in found]
    assert max(saturation[:3]) < 60 < saturation[3]
    assert f"Pair {PAIRS - 1}" in page.run("document.getElementById('numbers').textContent")


def test_cameras_move_together(opened):
    page = opened(f"pairs/{DATASET}/-script")
    see(page)
    before = panels(page)
    x, y = page.run("(() => { const b = document.querySelector('.panel').getBoundingClientRect();"
                    " return [b.left + b.width / 2, b.top + b.height / 2]; })()")  # fmt: skip
    page.mouse("move", x, y)
    page.mouse("press", x, y)
    page.mouse("move", x + 90, y + 40)
    page.mouse("release", x + 90, y + 40)
    turned = panels(page)
    assert all((a != b).any(axis=-1).mean() > 0.02 for a, b in zip(before, turned, strict=True))
    page.run("document.getElementById('viewer').focus()")
    page.press("ArrowLeft")
    again = panels(page)
    assert all((a != b).any() for a, b in zip(turned, again, strict=True))
    page.run("document.getElementById('turn').click()")
    assert all(np.array_equal(a, b) for a, b in zip(before, panels(page), strict=True))


def test_browsing_by_best_and_worst_and_the_keyboard(opened):
    page = opened(f"pairs/{DATASET}/-script")
    see(page)
    for button, pair in (("worst", PAIRS - 1), ("best", 0), ("median", PAIRS // 2)):
        page.run(f"document.querySelector('[data-go={button}]').click()")
        page.wait(
            f"location.hash === '#unseen/{pair}' && document.querySelector('tr.current')?.dataset.pair === '{pair}'"
        )
    page.run("document.getElementById('viewer').focus()")
    page.press("n")
    page.wait(f"location.hash === '#unseen/{PAIRS - 1}'")


def test_two_methods_are_wiped(opened):
    page = opened(f"pairs/{DATASET}/-script", "#unseen/0")
    see(page)
    alone = panels(page)[3]
    page.run(
        f"(() => {{ const s = document.getElementById('against'); s.value = '{BASELINE}';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    page.wait("repose.viewers[0].panels[3].bodies.length === 2")
    half = panels(page)[3]
    page.run(
        "(() => { const w = document.getElementById('wipe'); w.value = 100; w.dispatchEvent(new Event('input')); })()"
    )
    whole = panels(page)[3]
    assert np.array_equal(whole, alone) and not np.array_equal(half, alone)


def test_a_body_downloads_as_it_is_stored(opened, made):
    page = opened(f"pairs/{DATASET}/-script", "#unseen/0")
    see(page)
    text = page.run(
        "(() => { const [b] = repose.viewers[0].panels[0].bodies; return repose.obj(b.vertices, b.faces); })()"
    )
    lines = [line.split() for line in text.splitlines()]
    vertices = np.array([line[1:] for line in lines if line[0] == "v"], float)
    faces = np.array([line[1:] for line in lines if line[0] == "f"], int) - 1
    store = made.tree.store
    assert (
        np.abs(vertices - store.vertices(np.array([store.index_of(made.tree.triples[0][0])]))[0]).max() < 2e-4
    )
    assert np.array_equal(faces, store.faces)


def test_sample_bodies_of_a_dataset_are_drawn(opened):
    page = opened(f"datasets/{DATASET}")
    see(page)
    assert all(drawn(panel) > 0.05 for panel in panels(page))


def colours(page):
    """Of each sample body, whether it is coloured."""
    return page.run(
        "repose.viewers[0].panels.map((p) => Boolean(p.bodies[0].geometry.getAttribute('color')))"
    )


def middle(page, number):
    """Of a panel of the viewer, in pixels of the window."""
    return page.run(
        f"(() => {{ const b = document.querySelectorAll('.panel')[{number}].getBoundingClientRect();"
        " return [b.left + b.width / 2, b.top + b.height / 2]; })()"
    )


def measured(page):
    return page.run("document.getElementById('measured').textContent")


def click(page, x, y, dx=0):
    page.mouse("move", x, y)
    page.mouse("press", x, y)
    page.mouse("move", x + dx, y)
    page.mouse("release", x + dx, y)


def test_a_clicked_vertex_shows_how_far_everything_is_from_it(opened):
    page = opened(f"datasets/{DATASET}")
    see(page)
    said, plain = measured(page), panels(page)
    click(page, *middle(page, 1), dx=40)
    assert not any(colours(page)) and measured(page) == said, "a drag turns"
    page.run("repose.viewers[0].reset()")
    click(page, *middle(page, 1))
    page.wait("repose.viewers[0].panels.every((p) => p.bodies[0].geometry.getAttribute('color'))")
    page.wait("document.getElementById('measured').textContent.startsWith('From vertex')")
    first, coloured = measured(page), panels(page)
    assert all((a != b).any(axis=-1).mean() > 0.05 for a, b in zip(plain, coloured, strict=True))
    x, y = middle(page, 1)
    click(page, x + 25, y + 10)
    page.wait(f"document.getElementById('measured').textContent !== {first!r}")
    assert all((a != b).any() for a, b in zip(coloured, panels(page), strict=True))
    second = measured(page)
    page.run("document.getElementById('viewer').focus()")
    page.press("Enter")
    page.wait(f"document.getElementById('measured').textContent !== {second!r}")
    page.run("document.getElementById('plain').click()")
    page.wait("repose.viewers[0].panels.every((p) => !p.bodies[0].geometry.getAttribute('color'))")


def test_distances_in_the_browser_are_those_of_the_heat_method(opened, made):
    page = opened(f"datasets/{DATASET}")
    see(page)
    click(page, *middle(page, 0))
    page.wait("document.getElementById('measured').textContent.startsWith('From vertex')")
    vertex, name, far = re.fullmatch(
        r"From vertex (\d+), .*: (\S+) reaches (\S+) m\.", measured(page)
    ).groups()
    store = made.tree.store
    true = heat(store.vertices(np.array([store.index_of(name)]))[0], store.faces).matrix[int(vertex)]
    assert float(far) == pytest.approx(true.max(), rel=0.05)  # of a ball, the hardest of shapes


def loaded(page):
    page.wait("[...document.querySelectorAll('#pictures img')].every((i) => i.complete && i.naturalWidth)")
    return page.run("[...document.querySelectorAll('#pictures figcaption')].map((c) => c.textContent)")


def test_pictures_of_a_pair_are_shown_and_compared(opened):
    page = opened(f"pairs/{IMAGES}/-img", "#unseen/0")
    given = ["source", "pose", "truth", "true flow", "true visibility", "true warp"]
    drawn = ["prediction", "flow", "visibility", "warp", "share of the warp"]
    assert loaded(page) == [*given, *drawn]
    assert "PSNR (dB) –" in page.run("document.getElementById('numbers').textContent")
    page.run(
        f"(() => {{ const s = document.getElementById('against'); s.value = '{COPIER}';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    assert loaded(page) == [*given, *drawn, "prediction"]
    assert page.run("[...document.querySelectorAll('#pictures h3')].map((h) => h.textContent)")[1:] == [
        DRAWER,
        COPIER,
    ]
    page.run("document.querySelector('[data-go=best]').click()")
    page.wait(f"location.hash === '#unseen/{PAIRS - 1}'")
    page.run("document.getElementById('pictures').focus()")
    page.press("p")
    page.wait(f"location.hash !== '#unseen/{PAIRS - 1}'")
    loaded(page)


def test_images_of_a_dataset_are_shown(opened):
    page = opened(f"datasets/{IMAGES}")
    page.wait("[...document.querySelectorAll('.pictures img')].every((i) => i.complete && i.naturalWidth)")
    assert page.run("document.querySelectorAll('.pictures img').length") == 12


def test_generated_poses_are_drawn(opened):
    page = opened(f"pairs/{DATASET}/{GENERATOR}", "#new-body")
    names = "repose.viewers[0].panels.map((p) => p.bodies.length && p.name.textContent)"
    seen = []
    for protocol, first in (("new-body", "body 1, pose 0"), ("own-body", "body 0, pose 0")):
        page.run(
            f"(() => {{ const s = document.querySelector('[name=protocol]'); s.value = '{protocol}';"
            " s.dispatchEvent(new Event('change')); })()"
        )
        page.wait(f"{names}[0] === '{first}'")
        page.run("document.getElementById('viewer').scrollIntoView()")
        seen.append(panels(page))
        assert len(seen[-1]) == 2 and all(drawn(panel) > 0.05 for panel in seen[-1])
    assert any((a != b).any() for a, b in zip(*seen, strict=True))


def test_the_page_of_a_method_tells_of_the_paper(opened):
    page = opened("methods/-script")
    heads = page.run("[...document.querySelectorAll('.about h3')].map((h) => h.textContent)")
    assert heads == ["What the paper says", "What the released code does", "What we do"]


def test_a_table_sorts_filters_and_copies(opened):
    page = opened("tables/table1")
    rows = "document.querySelectorAll('#results tbody tr:not([hidden]) th a:first-child')"
    names = f"[...{rows}].map((a) => a.textContent)"
    assert page.run(names) == [BASELINE, METHOD]
    values = (
        "[...document.querySelectorAll('#results tbody td:nth-child(7)')].map((c) => Number(c.dataset.value))"
    )
    head = "document.querySelector('#results th:nth-child(7)')"
    for order in ("ascending", "descending"):
        page.run(f"{head}.querySelector('button').click()")
        assert page.run(f"{head}.getAttribute('aria-sort')") == order
        assert page.run(values) == sorted(page.run(values), reverse=order == "descending")
    page.run("document.querySelector('[name=baselines]').click()")
    assert page.run(names) == [METHOD]
    for form, start in (
        ("CSV", "dataset,method,"),
        ("Markdown", "| dataset | method |"),
        ("LaTeX", "% needs \\usepackage{booktabs,graphicx}\n\\resizebox{"),
    ):
        page.run(f"document.querySelector('[data-copy={form}]').click()")
        text = page.run("document.getElementById('copied-text').value")
        assert text.startswith(start) and "alert(1)" in text and BASELINE not in text
        page.run("document.getElementById('copied').close()")


def test_a_number_opens_what_it_was_made_from(opened):
    page = opened("tables/table1")
    page.run("document.querySelectorAll('#results tbody tr')[1].querySelector('button.value').click()")
    assert page.run("document.getElementById('lineage').open")
    text = page.run("document.getElementById('lineage').textContent")
    for part in ("repose audit results/table1.csv --cell", f"runs/{DATASET}", "raw", "sha256", METHOD):
        assert part in text
    assert page.run("document.querySelectorAll('#lineage script').length") == 0
    page.press("Escape")
    page.wait("!document.getElementById('lineage').open")
