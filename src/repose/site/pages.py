"""The pages: what each shows, and the engine that fills its template."""

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import metadata, version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib import colormaps

from repose.audit.public import public
from repose.metrics.meshes import METRICS
from repose.report.sheet import ERROR_COLOURS
from repose.site import addresses
from repose.site.assets import STATIC
from repose.site.bodies import RANKED_BY, Pairs
from repose.site.charts import learning_curve
from repose.site.facts import Facts
from repose.site.table_page import best, table_page

_COLOURS = [[round(c, 4) for c in colormaps[ERROR_COLOURS](k / 15)[:3]] for k in range(16)]


class Site:
    """The folder of pages in the making.

    Args:
        root: the folder; it need not exist.
        facts: what the artefacts say.
    """

    def __init__(self, root: Path, facts: Facts):
        self.root, self.facts = root, facts
        self.pages: list[str] = []
        self._datasets: dict[str, dict[str, Any]] = {}
        self._pairs: dict[str, dict[str, dict[str, Pairs]]] = {}
        # Whatever a name holds, a page shows it as text.
        self._engine = Environment(
            loader=PackageLoader("repose.site", "assets"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._engine.filters |= {"duration": duration, "size": size, "moment": moment}
        self._engine.globals |= {"page": addresses}
        self._engine.policies["json.dumps_kwargs"] = {}  # in our order: the first protocol is the table's

    def dataset(
        self,
        name: str,
        catalog: pd.DataFrame,
        faces: str,
        samples: Sequence[tuple[str, str]],
        pairs: dict[str, dict[str, Pairs]],
    ) -> None:
        """Note a dataset: its catalogue, addresses of its faces and of sample bodies by name, and pairs by method."""
        self._pairs[name] = pairs
        self._datasets[name] = {
            "name": name,
            "counts": _counts(catalog),
            "samples": {"faces": faces, "bodies": samples} if samples else None,
            "settings": self._settings(name),
            "splits": [
                (manifest.content["place"].split("/")[-1], manifest.content["describe"])
                for manifest in self.facts.behind(name, "split")
            ],
        }

    def write(self) -> None:
        """Write all pages, and the files that they share."""
        for name in STATIC:
            target = self.root / "assets" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files("repose.site.assets").joinpath(name).read_bytes())
        methods = list(dict.fromkeys(method for _, method in self.facts.runs))
        self._engine.globals["menu"] = [
            ("tables", [(table.name, addresses.table(table.name)) for table in self.facts.tables]),
            ("datasets", [(name, addresses.dataset(name)) for name in self._datasets]),
            ("methods", [(name, addresses.method(name)) for name in methods]),
        ]
        self._page("index.html", addresses.OVERVIEW, **self._overview())
        for table in self.facts.tables:
            self._page("table.html", addresses.table(table.name), **table_page(table, self.facts))
        for name, about in self._datasets.items():
            self._page("dataset.html", addresses.dataset(name), about=about)
        for method in methods:
            self._page("method.html", addresses.method(method), **self._method(method))
        for dataset, found in self._pairs.items():
            for method, protocols in found.items():
                shown = self._shown(dataset, method, protocols)
                self._page("pairs.html", addresses.pairs(dataset, method), **shown)

    def _page(self, template: str, address: str, **context: Any) -> None:
        up = "../" * address.count("/")
        text = self._engine.get_template(template).render(
            up=up, facts=self.facts, has_pairs=self._has_pairs, **context
        )
        target = self.root / address
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self.pages.append(address)

    def _has_pairs(self, dataset: str, method: str) -> bool:
        return method in self._pairs.get(dataset, {})

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
        return {"method": method, "runs": runs, "charts": [chart for chart in charts if chart]}

    def _shown(self, dataset: str, method: str, protocols: dict[str, Pairs]) -> dict[str, Any]:
        data = {
            "method": method,
            "faces": addresses.body(dataset, "faces"),
            "names": {
                name: addresses.body(dataset, name)
                for one in protocols.values()
                for number in one.shown
                for name in one.triples[number]
            },
            "rankedBy": RANKED_BY,
            "metrics": [
                {"name": metric.name, "title": metric.heading, "factor": metric.factor} for metric in METRICS
            ],
            "protocols": {
                name: {"triples": one.triples, "values": one.values, "shown": one.shown}
                for name, one in protocols.items()
            },
            "colours": _COLOURS,
        }
        index = f"{addresses.bodies(dataset)}/index.js"
        return {
            "dataset": dataset,
            "method": method,
            "data": data,
            "index": index,
            "methods": list(self._pairs[dataset]),
        }

    def _settings(self, dataset: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for manifest in self.facts.behind(dataset, "raw"):
            found |= dict(public(manifest.history["params"] | {"seed": manifest.history["seed"]}))
        return found


def duration(seconds: float) -> str:
    """Seconds as a reader takes them in."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Bytes as a reader takes them in."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def moment(started: str) -> str:
    """A time of a history to the minute."""
    return datetime.strptime(started, "%Y-%m-%dT%H:%M:%SZ").strftime("%Y-%m-%d %H:%M")


def _counts(catalog: pd.DataFrame) -> list[tuple[str, str]]:
    """What a catalogue says of its items together."""
    found = [("meshes" if "mesh_id" in catalog else "images", f"{len(catalog):,}")]
    for column, many in (("identity", "identities"), ("pose", "poses"), ("outfit", "outfits")):
        if column in catalog:
            found.append((many, f"{catalog[column].nunique():,}"))
    for column in ("vertices", "faces", "height", "width"):
        if column in catalog and len(catalog):
            low, high = catalog[column].min(), catalog[column].max()
            found.append((column, f"{low:,}" if low == high else f"{low:,} to {high:,}"))
    for column in ("source", "licence"):
        if column in catalog:
            found.append((column, ", ".join(sorted(map(str, catalog[column].unique())))))
    return found
