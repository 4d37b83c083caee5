"""What of a history may be shown to strangers."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SECRET = re.compile(r"token|password|passwd|secret|credential|api_?key", re.IGNORECASE)
_LOCAL = re.compile(r"^(/|~|[A-Za-z]:[\\/]|file:|\\\\)|://[^/]*@")


def public(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Settings as `a.b` and text, without what looks like a secret or a local path."""
    for key, value in values.items():
        name = f"{above}{key}"
        if _SECRET.search(str(key)):
            continue
        if isinstance(value, Mapping):
            yield from public(value, f"{name}.")
        else:
            texts = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
            if value is not None and not any(_LOCAL.search(text) for text in texts):
                yield name, value if isinstance(value, str) else json.dumps(value)
