"""Which datasets there are: the entry points of the group `repose.datasets`, ours and those of other packages alike.

An entry point is named like the `source` in the configuration and leads to a class of
`repose.raw.settings.Dataset`. It imports nothing slow, since Snakemake reads it at every start.
"""

from functools import cache
from typing import get_args

from repose.errors import ReposeError
from repose.plugins import offered
from repose.raw.settings import Dataset

GROUP = "repose.datasets"


@cache
def installed() -> dict[str, type[Dataset]]:
    """The class of every installed dataset, by its name.

    Raises:
        ReposeError: none is installed, two packages offer one name, an entry point leads to something else, or a
            class does not say its name and facts.
    """
    found = offered(GROUP, Dataset, "source")
    for name, dataset in found.items():
        where = f"{dataset.__module__}.{dataset.__name__}"
        if get_args(dataset.model_fields["source"].annotation) != (name,):
            raise ReposeError(
                f"the source {name!r} is another one in its class", where, f'source: Literal["{name}"]'
            )
        if not hasattr(dataset, "entry"):
            raise ReposeError(f"the source {name!r} has no facts", where, "entry: ClassVar[Entry] = Entry(…)")
    return found
