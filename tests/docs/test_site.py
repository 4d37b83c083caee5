"""docs/ as a site: every page has its place, and every link leads somewhere. `make docs-site` builds it."""

import importlib.util
import posixpath
import re
from collections.abc import Iterator

import pytest
import yaml
from conftest import ROOT


def hooks():
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOKS, CONFIG = hooks(), yaml.safe_load((ROOT / "mkdocs.yml").read_text())
OWN = {file.relative_to(ROOT / "docs").as_posix(): file for file in sorted((ROOT / "docs").rglob("*.md"))}
PAGES = OWN | HOOKS.elsewhere()


def named(entry: object) -> Iterator[str]:
    """The pages in a part of the navigation."""
    if isinstance(entry, str):
        yield entry
    else:
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from named(part)


def test_the_navigation_has_every_page_once():
    assert sorted(named(CONFIG["nav"])) == sorted(PAGES)


def prose(place: str) -> str:
    """A page of the site without its code."""
    text = HOOKS.rewritten(PAGES[place].read_text(), place)
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """What a link may name behind a #: headings whose anchor is the same on the site and where the repository lies."""
    text = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        kept = re.sub(r"[^\w\s-]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)).strip().lower()
        if kept.replace(" ", "-") == re.sub(r"[-\s]+", "-", kept):
            found.add(kept.replace(" ", "-"))
    return found


@pytest.mark.parametrize("place", PAGES)
def test_every_anchor_is_that_of_a_heading(place):
    for target, anchor in re.findall(r"\]\(([^)\s#:]*)#([^)]*)\)", prose(place)):
        there = posixpath.normpath(posixpath.join(posixpath.dirname(place), target)) if target else place
        assert anchor in anchors(PAGES[there].read_text()), (place, target, anchor)


@pytest.mark.parametrize("place", PAGES)
def test_every_link_of_a_page_leads_to_one_of_the_site_or_to_a_file_of_the_repository(place):
    for target in re.findall(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", prose(place)):
        parts = [*place.split("/")[:-1], *target.split("/")]
        while ".." in parts:
            k = parts.index("..")
            del parts[k - 1 : k + 1]
        there = "/".join(parts)
        assert there in PAGES or (ROOT / "docs" / there).is_file(), (place, target)


def test_what_has_no_page_becomes_its_path_and_what_is_not_there_is_an_error():
    said = HOOKS.rewritten(
        "[a test](../tests/conftest.py), [npt](../src/repose/methods/npt/about.md#what-we-do), `[x](y)`\n\n"
        "```python method\n[x](y)\n```\n",
        "adding.md",
    )
    assert said == (
        "a test (`tests/conftest.py`), [npt](methods/npt.md#what-we-do), `[x](y)`\n\n```python\n[x](y)\n```\n"
    )
    assert HOOKS.rewritten("![p](docs/pictures/table1.png) [u](docs/use.md)", "index.md") == (
        "![p](pictures/table1.png) [u](use.md)"
    )
    with pytest.raises(FileNotFoundError, match=r"docs/adding\.md: a link to nowhere\.md"):
        HOOKS.rewritten("[x](nowhere.md)", "adding.md")


def test_the_list_of_methods_has_the_page_of_each():
    listed = (ROOT / "docs" / "methods.md").read_text()
    for place, file in HOOKS.elsewhere().items():
        if place.startswith("methods/"):
            assert f"(../{file.relative_to(ROOT)})" in listed, place
