"""Where each page and body lies in the site, relative to its folder."""

import re
from hashlib import sha256

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
    """The page of the test pairs of a method on a dataset."""
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
