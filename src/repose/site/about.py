"""The description of a method, a text beside its settings, as a part of its page."""

from markdown_it import MarkdownIt
from markupsafe import Markup

from repose.methods.registry import installed

# Tags, images and links stay text: a method may come from another package, and pages must load nothing from elsewhere.
_READER = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])


def about(architecture: str) -> Markup:
    """Return the text on the paper, the released code and our version, as HTML below a heading; may be empty.

    Args:
        architecture: architecture of the settings, which may be of a package that is not installed here.
    """
    settings = installed().get(architecture)
    tokens = _READER.parse(settings.about() if settings else "")
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))
