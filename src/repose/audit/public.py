"""Settings as names and texts, and which of them may be shown in public."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SECRET = re.compile(r"token|password|passwd|secret|credential|api_?key", re.IGNORECASE)
_LOCAL = re.compile(r"^(/|~|[A-Za-z]:[\\/]|file:|\\\\)|://[^/]*@")


def flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings that hold no other settings, under names such as `a.b`."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def text(value: Any) -> str:
    """Return a setting as JSON; text is returned unchanged."""
    return value if isinstance(value, str) else json.dumps(value)


def public(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield settings as `a.b` and text, without values that look like a secret or a local path."""
    for name, value in flat(values):
        texts = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
        if value is not None and not _SECRET.search(name) and not any(map(_LOCAL.search, texts)):
            yield name, text(value)
