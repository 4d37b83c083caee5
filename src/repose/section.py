"""The base of all parts of the configuration. Snakemake imports it with the workflow, so nothing here is slow."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# Names are used in paths and on command lines: no hyphen first, which would make an option, and not too long for a
# file.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=100)]
ACROSS = "@"
"""In the name of a row's method: `npt@open-human` has the weights that `npt` learned on `open-human`."""


class Section(BaseModel):
    """A part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
