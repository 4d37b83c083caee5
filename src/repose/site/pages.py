"""The pages: their content, and the template engine that renders them."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import metadata, version
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from repose.audit.public import public
from repose.audit.show import size
from repose.site import addresses
from repose.site.about import about
from repose.site.addresses import put
from repose.site.assets import STATIC
from repose.site.charts import learning_curve
from repose.site.dataset import Dataset
from repose.site.facts import Facts
from repose.site.table_page import best, table_page


class Site:
    """The folder of pages while they are written.

    Args:
        root: the folder; it need not exist.
        facts: the facts of the artefacts.
        datasets: datasets by name, whose bodies or images are already written.
    """

    def __init__(self, root: Path, facts: Facts, datasets: Mapping[str, Dataset]):
        self.root, self.facts, self._datasets = root, facts, datasets
        self.pages: list[str] = []
        # Names are escaped, so that a page shows them as text.
        self._engine = Environment(
            loader=PackageLoader("repose.site", "assets"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._engine.filters |= {"duration": duration, "size": size, "moment": moment}
        self._engine.globals |= {"page": addresses}
        # in our order: the first protocol is that of the table
        self._engine.policies["json.dumps_kwargs"] = {}

    def write(self) -> None:
        """Write all pages, and the files that they share."""
        for name in STATIC:
            put(self.root, f"assets/{name}", files("repose.site.assets").joinpath(name).read_bytes())
        methods = list(dict.fromkeys(method for _, method in self.facts.runs))
        self._engine.globals["menu"] = [
            ("tables", [(table.name, addresses.table(table.name)) for table in self.facts.tables]),
            ("datasets", [(name, addresses.dataset(name)) for name in self._datasets]),
            ("methods", [(name, addresses.method(name)) for name in methods]),
        ]
        self._page("index.html", addresses.OVERVIEW, **self._overview())
        for table in self.facts.tables:
            self._page("table.html", addresses.table(table.name), **table_page(table, self.facts))
        for name, dataset in self._datasets.items():
            self._page("dataset.html", addresses.dataset(name), **self._dataset(dataset))
            put(self.root, addresses.index(name), dataset.index)
        for method in methods:
            self._page("method.html", addresses.method(method), **self._method(method))
        for name, dataset in self._datasets.items():
            for method in (*dataset.pairs, *dataset.generated):
                template, shown = dataset.page(method)
                self._page(template, addresses.pairs(name, method), **shown)

    def _page(self, template: str, address: str, **context: Any) -> None:
        up = "../" * address.count("/")
        text = self._engine.get_template(template).render(up=up, facts=self.facts, made=self._made, **context)
        put(self.root, address, text)
        self.pages.append(address)

    def _made(self, dataset: str, method: str) -> str:
        """Return the kind of page that a method has on a dataset, for links to it."""
        return self._datasets[dataset].made(method) if dataset in self._datasets else ""

    def _dataset(self, dataset: Dataset) -> dict[str, Any]:
        return {
            "about": dataset,
            "settings": self._settings(dataset.name),
            "splits": [
                (manifest.content["place"].split("/")[-1], manifest.content["describe"])
                for manifest in self.facts.behind(dataset.name, "split")
            ],
        }

    def _overview(self) -> dict[str, Any]:
        costs, started = self.facts.costs(), self.facts.started()
        return {
            "summary": metadata("repose")["Summary"],
            "version": version("repose"),
            "costs": costs,
            "seconds": sum(cost["seconds"] for cost in costs),
            "started": (started[0], started[-1]),
            "best": [(table, best(table, self.facts)) for table in self.facts.tables],
            "digests": {t.name: t.root.manifest.digest for t in self.facts.tables if t.root.manifest},
        }

    def _method(self, method: str) -> dict[str, Any]:
        runs = [run for (_, name), run in self.facts.runs.items() if name == method]
        charts = [learning_curve(run.dataset, run.curves) for run in runs]
        return {
            "method": method,
            "runs": runs,
            "charts": [chart for chart in charts if chart],
            "about": about(runs[0].architecture),
        }

    def _settings(self, dataset: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for manifest in self.facts.behind(dataset, "raw"):
            found |= dict(public(manifest.history["params"] | {"seed": manifest.history["seed"]}))
        return found


def duration(seconds: float) -> str:
    """Return seconds in a readable form."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def moment(started: str) -> str:
    """Return a time of a history, to the minute."""
    return datetime.strptime(started, "%Y-%m-%dT%H:%M:%SZ").strftime("%Y-%m-%d %H:%M")
