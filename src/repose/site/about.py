"""What is known of a method: the text that lies beside its settings, as a part of its page."""

from markdown_it import MarkdownIt
from markupsafe import Markup

from repose.methods.registry import installed

# Tags, pictures and links stay text: a method may be of another package, and a page asks for nothing elsewhere.
_READER = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])


def about(architecture: str) -> Markup:
    """What paper, released code and we do, as HTML below a heading of the page; empty where nothing is said.

    Args:
        architecture: of the settings, which may be of a package that is not installed here.
    """
    settings = installed().get(architecture)
    tokens = _READER.parse(settings.about() if settings else "")
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))
