"""Bodies for the viewer: which pairs are shown, and meshes as scripts, which a page opened from disk can load."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repose.metrics.meshes import METRICS
from repose.reading import read_rows
from repose.report.shown import Shown, spread
from repose.site import addresses
from repose.store.mesh_store import MeshStore

RANKED_BY = METRICS[0].name
ITEM = ["identity_mesh", "pose_mesh", "truth_mesh"]


@dataclass
class Pairs:
    """The test pairs of one method on one protocol.

    Attributes:
        triples: names of identity, pose and truth of every pair.
        values: of every pair, by metric.
        shown: addresses of the predicted bodies in the site, by the number of the pair.
    """

    triples: list[list[str]]
    values: dict[str, list[float]]
    shown: dict[int, str] = field(default_factory=dict)

    @property
    def ranked(self) -> list[int]:
        """Numbers of the pairs, the nearest to the truth first."""
        return np.argsort(self.values[RANKED_BY], kind="stable").tolist()

    def chosen(self, common: int | None) -> list[int]:
        """Which pairs have bodies: some that all methods show, and the best, the median and the worst of this one."""
        count, ranked = len(self.triples), self.ranked
        if common is None or not count:
            return list(range(count))
        return sorted({*spread(count, common), ranked[0], ranked[count // 2], ranked[-1]})


class Writer:
    """Writes the bodies of one dataset, each once.

    Args:
        root: the folder of the site.
        dataset: its name.
        store: its packed meshes.
    """

    def __init__(self, root: Path, dataset: str, store: MeshStore):
        self.root, self.name, self.store = root, dataset, store
        self._written: set[str] = set()
        self.faces = addresses.body(dataset, "faces")
        self._write(self.faces, np.ascontiguousarray(store.faces, "<u4").tobytes())

    def mesh(self, name: str) -> str:
        """The address of a mesh of the dataset."""
        address = addresses.body(self.name, name)
        if address not in self._written:
            self._write(address, packed(self.store.vertices(np.array([self.store.index_of(name)]))[0]))
        return address

    def pairs(self, method: str, predictions: Path, scores: Path, common: int | None) -> dict[str, Pairs]:
        """Write what a method predicted for the chosen pairs of each protocol, with what they are made of."""
        found = {}
        rows = read_rows(scores, "not a table of scores")
        for protocol in rows.protocol.unique():
            shown = Shown("", method, predictions / protocol, self.store)
            pairs = Pairs(shown.names("triples"), {})
            pairs.values = dict(_values(rows[rows.protocol == protocol], pairs.triples))
            posed = shown.vertices
            for number in pairs.chosen(common):
                for name in pairs.triples[number]:
                    self.mesh(name)
                pairs.shown[number] = addresses.prediction(self.name, method, protocol, number)
                self._write(pairs.shown[number], packed(posed.rows(number, number + 1)[0]))
            found[str(protocol)] = pairs
        return found

    def index(self, found: Mapping[str, Mapping[str, Pairs]]) -> None:
        """Write which pairs of which method have bodies, so that a page can compare two."""
        shown = {method: {name: one.shown for name, one in of.items()} for method, of in found.items()}
        self._script(f"{addresses.bodies(self.name)}/index.js", f"repose.index({json.dumps(shown)});\n")

    def _write(self, address: str, data: bytes) -> None:
        self._written.add(address)
        text = base64.b64encode(data).decode("ascii")
        self._script(address, f"repose.arrived({json.dumps(address)},{json.dumps(text)});\n")

    def _script(self, address: str, text: str) -> None:
        target = self.root / address
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def packed(vertices: NDArray[np.float32]) -> bytes:
    """Vertices (V, 3) in 16 bits, after the least corner (3 float32) and the length of a step (float32).

    A step is 1/65535 of the longest side of the bounding box: 0.03 mm of a body of 2 m.
    """
    low = vertices.min(axis=0)
    step = max(float((vertices.max(axis=0) - low).max()) / 65535, 1e-9)
    steps = np.clip(np.round((vertices - low) / step), 0, 65535).astype("<u2")
    return np.array([*low, step], "<f4").tobytes() + steps.tobytes()


def _values(rows: pd.DataFrame, triples: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[float]]]:
    """Of each metric its values, in the order of the triples."""
    for metric, found in rows.groupby("metric", sort=False):
        by_item: Mapping[Any, float] = found.set_index(ITEM).value.to_dict()
        yield str(metric), [float(f"{by_item[tuple(triple)]:.6g}") for triple in triples]
