"""Hooks of MkDocs: pages that lie beside the code, and links that lead out of docs/.

`README.md` is the first page, `CHANGELOG.md` one of its own, and `about.md` of each method is `methods/{method}.md`. A
link to any other file of the repository becomes its path, as the site has no copy of it; one that leads nowhere ends
the build.
"""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
PICTURE = re.compile(r"(!\[[^\]]*\])\(([^)\s:]+)\)")
FENCE = re.compile(r"^```(\w+) [\w-]+$", re.MULTILINE)  # a name for tests, which no highlighter knows


def elsewhere() -> dict[str, Path]:
    """Pages that do not lie in docs/: their place in the site, and their file."""
    methods = sorted(ROOT.glob("src/repose/methods/*/about.md"))
    pages = {"index.md": ROOT / "README.md", "changelog.md": ROOT / "CHANGELOG.md"}
    return pages | {f"methods/{file.parent.name}.md": file for file in methods}


def place_of(file: Path) -> str | None:
    """Where a file of the repository stands in the site; None where it does not."""
    if file.suffix not in (".md", ".png", ".csv"):
        return None
    if file.is_relative_to(ROOT / "docs"):
        return file.relative_to(ROOT / "docs").as_posix()
    return next((place for place, other in elsewhere().items() if other == file), None)


def rewritten(text: str, place: str) -> str:
    """A page with links as the site has them.

    Args:
        text: Markdown.
        place: of the page in the site.

    Raises:
        FileNotFoundError: a link leads to no file.
    """
    source = elsewhere().get(place, ROOT / "docs" / place)

    def there(target: str) -> str | None:
        file = Path(os.path.normpath(source.parent / target))
        if not file.exists():
            raise FileNotFoundError(f"{source.relative_to(ROOT)}: a link to {target}, which is not there")
        found = place_of(file)
        return found and os.path.relpath(found, PurePosixPath(place).parent)

    def link(match: re.Match[str]) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        found = there(target)
        outside = os.path.relpath(source.parent / target, ROOT)
        return f"[{words}]({found}{anchor})" if found else f"{words} (`{outside}`)"

    def picture(match: re.Match[str]) -> str:
        return f"{match[1]}({there(match[2])})"

    parts = re.split(r"(^```.*?^```$|`[^`\n]*`)", text, flags=re.MULTILINE | re.DOTALL)
    prose = (part if k % 2 else PICTURE.sub(picture, LINK.sub(link, part)) for k, part in enumerate(parts))
    return FENCE.sub(r"```\1", "".join(prose))


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie elsewhere."""
    from mkdocs.structure.files import File  # of the environment of `make docs-site` alone

    for place, file in elsewhere().items():
        files.append(File.generated(config, place, content=file.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page."""
    return rewritten(markdown, page.file.src_uri)
