"""Numbers and ranges of numbers, such as `0-7, 9`."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_RANGE = re.compile(r"\d{1,6}(-\d{1,6})?")


def _canonical(value: Any) -> Any:
    """Normalise `[0, "2-5"]` and `"0, 2-5"` to `"0,2-5"`."""
    parts = str(value).split(",") if isinstance(value, str | int) else value
    if not isinstance(parts, list) or not parts:
        raise ValueError("expected numbers and ranges, such as '0-7, 9'")
    texts = [str(part).strip() for part in parts]
    for text in texts:
        first, _, last = text.partition("-")
        if not _RANGE.fullmatch(text) or int(first) > int(last or first):
            raise ValueError(f"{text!r} is neither a number nor a range such as 0-7")
    numbers = expand(",".join(texts))
    if len(numbers) != len(set(numbers)):
        raise ValueError("a number stands there twice")
    return ",".join(texts)


def expand(ranges: str) -> list[int]:
    """Expand `"0,2-5"` to 0, 2, 3, 4, 5."""
    numbers: list[int] = []
    for text in filter(None, ranges.split(",")):
        first, _, last = text.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def collapse(numbers: Iterable[int]) -> str:
    """Collapse 0, 2, 3, 4, 5 to `"0,2-5"`; increasing numbers are restored by `expand`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ",".join("-".join(map(str, ends)) for ends in found)


_LIST: dict[str, Any] = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}
Numbers = Annotated[
    str,
    BeforeValidator(_canonical),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}, _LIST]}),
]
