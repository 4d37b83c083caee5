"""Where each page and body lies in the site, relative to its folder, and how it comes there."""

import re
from hashlib import sha256
from pathlib import Path

OVERVIEW = "index.html"


def file_name(name: str) -> str:
    """A name as one of a file, whatever it holds; names of a checked configuration stay as they are."""
    plain = re.sub(r"[^a-zA-Z0-9_-]", "-", name)
    return name if plain == name else f"{plain}-{sha256(name.encode()).hexdigest()[:8]}"


def table(name: str) -> str:
    """The page of a table."""
    return f"tables/{file_name(name)}.html"


def method(name: str) -> str:
    """The page of a method."""
    return f"methods/{file_name(name)}.html"


def dataset(name: str) -> str:
    """The page of a dataset."""
    return f"datasets/{file_name(name)}.html"


def pairs(dataset: str, method: str) -> str:
    """The page of what a method made on a dataset: its test pairs, or the poses that it has generated."""
    return f"pairs/{file_name(dataset)}/{file_name(method)}.html"


def bodies(dataset: str) -> str:
    """The folder of the bodies of a dataset."""
    return f"bodies/{file_name(dataset)}"


def body(dataset: str, name: str) -> str:
    """A mesh of a dataset."""
    return f"{bodies(dataset)}/{file_name(name)}.js"


def prediction(dataset: str, method: str, protocol: str, number: int) -> str:
    """What a method made of a test pair."""
    return f"{bodies(dataset)}/{file_name(method)}/{file_name(protocol)}/{number}.js"


def distances(dataset: str, name: str) -> str:
    """The distances along a mesh of a dataset."""
    return f"{bodies(dataset)}/distances/{file_name(name)}.js"


def index(dataset: str) -> str:
    """What the site has of each pair of a dataset."""
    return f"{bodies(dataset)}/index.js"


def pictures(dataset: str) -> str:
    """The folder of the pictures of a dataset."""
    return f"pictures/{file_name(dataset)}"


def picture(dataset: str, name: str) -> str:
    """A picture of a dataset, or of what was drawn on it."""
    return f"{pictures(dataset)}/{name}.png"


def put(root: Path, address: str, content: str | bytes) -> None:
    """Write what is to lie at an address of the site in `root`."""
    target = root / address
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)
