"""One dataset, with what every method made on it, as its pages show it."""

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
    """What the site has of one dataset.

    Attributes:
        name: in `config.yaml`.
        catalog: a row per mesh or image.
        faces: address of the faces of its meshes; empty for images.
        samples: names and addresses of some bodies, or of some images.
        distances: what to say of the distances along the bodies.
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
        """What a method has a page of, for links: bodies, images or poses; empty where it has none."""
        if method in self.generated:
            return "poses"
        return ("bodies" if self.faces else "images") if method in self.pairs else ""

    @property
    def counts(self) -> list[tuple[str, str]]:
        """What the catalogue says of all meshes or images together."""
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
        """What the viewer is told of the sample bodies; None for images."""
        if not self.faces:
            return None
        return {"faces": self.faces, "bodies": self.samples, "colours": COLOURS, "middle": MIDDLE}

    @property
    def index(self) -> str:
        """A script that says what the site has of each pair, by method and protocol, so that a page can compare two."""
        shown = {method: {name: one.shown for name, one in of.items()} for method, of in self.pairs.items()}
        return f"repose.index({json.dumps(shown)});\n"

    def page(self, method: str) -> tuple[str, dict[str, Any]]:
        """The template of the page of what a method made, and what the template is filled with."""
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
    """Pairs as the script of their page reads them, the first the best."""
    first = pairs.ranked_by
    return {
        "items": pairs.items,
        "values": pairs.values,
        "shown": pairs.shown,
        "ranked": pairs.ranked,
        "rankedBy": first.name if first else "",
        "metrics": [{"name": m.name, "title": m.heading, "factor": m.factor} for m in pairs.metrics],
    }
