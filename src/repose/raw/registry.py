"""The registry of datasets: the entry points of the group `repose.datasets`, in this package and in others.

An entry point is named like the `source` in the configuration and leads to a class of `repose.raw.settings.Dataset`.
Its module must not import anything slow, because Snakemake reads it at every start.
"""

from functools import cache
from typing import get_args

from repose.errors import ReposeError
from repose.plugins import offered
from repose.raw.settings import Dataset

GROUP = "repose.datasets"


@cache
def installed() -> dict[str, type[Dataset]]:
    """Return the class of every installed dataset, by name.

    Raises:
        ReposeError: none is installed, two packages offer the same name, an entry point does not lead to a dataset
            class, or a class lacks its name or facts.
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
