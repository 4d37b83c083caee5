"""One dataset with the results of every method on it, as its pages show them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib import colormaps

from repose.report.sheet import ERROR_COLOURS
from repose.site import addresses
from repose.site.geodesics import MIDDLE
from repose.site.pairs import Pairs

COLOURS = [[round(c, 4) for c in colormaps[ERROR_COLOURS](k / 15)[:3]] for k in range(16)]


@dataclass
class Dataset:
    """The content of the site for one dataset.

    Attributes:
        name: its name in `config.yaml`.
        catalog: the catalogue with one row per mesh or image.
        faces: address of the faces of its meshes; empty for images.
        samples: names and addresses of some bodies, or of some images.
        distances: sentence on the distances along the bodies.
        pairs: the test pairs of each method, by protocol.
        generated: names and addresses of poses that each method has generated, by protocol.
    """

    name: str
    catalog: pd.DataFrame
    faces: str = ""
    samples: Sequence[Sequence[str]] = ()
    distances: str = ""
    pairs: dict[str, dict[str, Pairs]] = field(default_factory=dict)
    generated: dict[str, dict[str, list[tuple[str, str]]]] = field(default_factory=dict)

    def made(self, method: str) -> str:
        """Return the kind of page that a method has, for links: bodies, images or poses; empty if it has none."""
        if method in self.generated:
            return "poses"
        return ("bodies" if self.faces else "images") if method in self.pairs else ""

    @property
    def counts(self) -> list[tuple[str, str]]:
        """Return facts of the catalogue on all meshes or images together."""
        rows = self.catalog
        found = [("meshes" if self.faces else "images", f"{len(rows):,}")]
        for column, many in (("identity", "identities"), ("pose", "poses"), ("outfit", "outfits")):
            if column in rows:
                found.append((many, f"{rows[column].nunique():,}"))
        for column in ("vertices", "faces", "height", "width"):
            if column in rows and len(rows):
                low, high = rows[column].min(), rows[column].max()
                found.append((column, f"{low:,}" if low == high else f"{low:,} to {high:,}"))
        for column in ("source", "licence"):
            if column in rows:
                found.append((column, ", ".join(sorted(map(str, rows[column].unique())))))
        return found

    @property
    def bodies(self) -> dict[str, Any] | None:
        """Return the data of the sample bodies for the viewer; None for images."""
        if not self.faces:
            return None
        return {"faces": self.faces, "bodies": self.samples, "colours": COLOURS, "middle": MIDDLE}

    @property
    def index(self) -> str:
        """Return a script with the content of the site for each pair, so that a page can compare two methods."""
        shown = {method: {name: one.shown for name, one in of.items()} for method, of in self.pairs.items()}
        return f"repose.index({json.dumps(shown)});\n"

    def page(self, method: str) -> tuple[str, dict[str, Any]]:
        """Return the template of the page of a method's results, and its values."""
        about = {
            "dataset": self.name,
            "method": method,
            "methods": list(self.pairs),
            "index": addresses.index(self.name),
        }
        if method in self.generated:
            data = {"faces": self.faces, "protocols": self.generated[method]}
            return "poses.html", about | {"data": data}
        data = {"method": method, "protocols": {k: _told(one) for k, one in self.pairs[method].items()}}
        if not self.faces:
            return "pictures.html", about | {"data": data}
        shown = (one.items[number] for one in self.pairs[method].values() for number in one.shown)
        names = {name: addresses.body(self.name, name) for triple in shown for name in triple}
        return "pairs.html", about | {
            "data": data | {"faces": self.faces, "names": names, "colours": COLOURS}
        }


def _told(pairs: Pairs) -> Mapping[str, Any]:
    """Return pairs in the form that the script of their page reads, the best first."""
    first = pairs.ranked_by
    return {
        "items": pairs.items,
        "values": pairs.values,
        "shown": pairs.shown,
        "ranked": pairs.ranked,
        "rankedBy": first.name if first else "",
        "metrics": [{"name": m.name, "title": m.heading, "factor": m.factor} for m in pairs.metrics],
    }
