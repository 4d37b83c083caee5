"""The address of each page and body in the site, relative to its folder, and how files are written there."""

import re
from hashlib import sha256
from pathlib import Path

OVERVIEW = "index.html"


def file_name(name: str) -> str:
    """Return a name that is safe as a file name; names of a checked configuration are unchanged."""
    plain = re.sub(r"[^a-zA-Z0-9_-]", "-", name)
    return name if plain == name else f"{plain}-{sha256(name.encode()).hexdigest()[:8]}"


def table(name: str) -> str:
    """Return the page of a table."""
    return f"tables/{file_name(name)}.html"


def method(name: str) -> str:
    """Return the page of a method."""
    return f"methods/{file_name(name)}.html"


def dataset(name: str) -> str:
    """Return the page of a dataset."""
    return f"datasets/{file_name(name)}.html"


def pairs(dataset: str, method: str) -> str:
    """Return the page of a method's results on a dataset: its test pairs, or the poses that it generated."""
    return f"pairs/{file_name(dataset)}/{file_name(method)}.html"


def bodies(dataset: str) -> str:
    """Return the folder of the bodies of a dataset."""
    return f"bodies/{file_name(dataset)}"


def body(dataset: str, name: str) -> str:
    """Return the address of a mesh of a dataset."""
    return f"{bodies(dataset)}/{file_name(name)}.js"


def prediction(dataset: str, method: str, protocol: str, number: int) -> str:
    """Return the address of a method's prediction for a test pair."""
    return f"{bodies(dataset)}/{file_name(method)}/{file_name(protocol)}/{number}.js"


def distances(dataset: str, name: str) -> str:
    """Return the address of the distances along a mesh of a dataset."""
    return f"{bodies(dataset)}/distances/{file_name(name)}.js"


def index(dataset: str) -> str:
    """Return the address of the index of a dataset's pairs."""
    return f"{bodies(dataset)}/index.js"


def pictures(dataset: str) -> str:
    """Return the folder of the images of a dataset."""
    return f"pictures/{file_name(dataset)}"


def picture(dataset: str, name: str) -> str:
    """Return the address of an image of a dataset, or of one generated on it."""
    return f"{pictures(dataset)}/{name}.png"


def put(root: Path, address: str, content: str | bytes) -> None:
    """Write the content of an address of the site in `root`."""
    target = root / address
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)
