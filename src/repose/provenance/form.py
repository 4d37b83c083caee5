"""The form of a manifest and its history: a forged one may match its digests and still contain anything."""

import os
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from repose.errors import ReposeError
from repose.provenance.listing import list_path

LONGEST = 255  # most bytes of a name on most file systems


def inside(name: str) -> str:
    """Return a file name if it stays inside its folder; raise ValueError for any other."""
    path = PurePosixPath(name)
    if not path.parts or ".." in path.parts or path.is_absolute() or name != path.as_posix():
        raise ValueError(f"{name[:80]!r} is not inside its folder")
    if not name.isprintable() or max(len(os.fsencode(part)) for part in path.parts) > LONGEST:
        raise ValueError(f"{name[:80]!r} is no usable name")
    return name


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _File(_Form):
    bytes: int
    sha256: str  # of a file, or of a folder's list
    list: str | None = None


class Content(_Form):
    """The form of a manifest."""

    stage: str
    place: str
    files: dict[Annotated[str, AfterValidator(inside)], _File]
    describe: dict[str, Any]

    @model_validator(mode="after")
    def _lists_lie_beside(self) -> Self:
        for name, file in self.files.items():
            if "list" in file.model_fields_set and file.list != list_path(Path(name)).name:
                raise ValueError(f"the list of {name[:80]} is not beside it")
        return self


class History(_Form):
    """The form of the history beside a manifest."""

    inputs: dict[str, str]
    histories: dict[str, str]
    parents: dict[str, str]
    params: dict[str, Any]
    code: str
    seed: int | None
    modules: list[str]
    software: dict[str, str]
    machine: dict[str, Any]
    started: str
    seconds: float
    peak_memory_mib: float
    former: list[str]


def check_form(form: type[_Form], value: dict[str, Any], where: Path) -> None:
    """Refuse a manifest or a history that has another form, or names anything outside its folder.

    Raises:
        ReposeError: names the entry.
    """
    try:
        form.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part)[:80] for part in first["loc"])
        raise ReposeError(f"{place}: {first['msg']}", where, "remove it and run again") from None
