"""Bodies for the viewer: meshes as scripts, which a page opened from disk can load."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.errors import MeshError
from repose.protocols import NEW_BODY, OWN_BODY
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.report.shown import Shown, spread
from repose.site import addresses
from repose.site.digits import LARGEST, written
from repose.site.geodesics import Distances, distances
from repose.site.pairs import Pairs, pairs_of, scored
from repose.store.arrays import read_meta
from repose.store.mesh_store import MeshStore

Sample = tuple[str, str, str]
"""A body: its name, and the addresses of its vertices and of its distances; the last is empty where it has none."""


class Writer:
    """Writes the bodies of one dataset, each once.

    Args:
        root: the folder of the site.
        dataset: name of the dataset.
        store: packed meshes of the dataset.
    """

    def __init__(self, root: Path, dataset: str, store: MeshStore):
        self.root, self.name, self.store = root, dataset, store
        self._written: set[str] = set()
        self.faces = addresses.body(dataset, "faces")
        self._write(self.faces, np.empty(0), store.faces)

    def mesh(self, name: str) -> str:
        """Write a mesh of the dataset if needed, and return its address."""
        address = addresses.body(self.name, name)
        if address not in self._written:
            self._write(address, *packed(self._vertices(name)))
        return address

    def samples(self, names: list[str]) -> tuple[list[Sample], str]:
        """Write some meshes with the distances along them; return them, and a sentence on the distances."""
        found: list[Distances] = []
        try:
            found = [distances(self._vertices(name), self.store.faces, name) for name in names]
            error = max(1000 * one.error for one in found)
            said = f"Heat method, kept to {error:.1f} mm on average."
        except MeshError as no:
            said = f"No distances: {no.what}."
        samples = []
        for number, name in enumerate(names):
            address = addresses.distances(self.name, name) if found else ""
            if found:
                self._write(address, found[number].scale, found[number].codes)
            samples.append((name, self.mesh(name), address))
        return samples, said

    def pairs(self, method: str, predictions: Path, scores: Path, common: int | None) -> dict[str, Pairs]:
        """Write a method's predictions for the chosen pairs of each protocol, with the inputs of the pairs."""
        found = {}
        for protocol, rows in scored(scores).items():
            shown = Shown("", method, predictions / protocol, self.store)
            pairs = pairs_of(rows, shown.names("triples"), "meshes")
            for number in pairs.chosen(common):
                for name in pairs.items[number]:
                    self.mesh(name)
                pairs.shown[number] = self._predicted(shown, number)
            found[protocol] = pairs
        return found

    def generated(
        self, method: str, predictions: Path, wanted: int | None
    ) -> dict[str, list[tuple[str, str]]]:
        """Write poses that a method generated, up to `wanted` of each protocol or all; return names and addresses."""
        found = {}
        for protocol in (OWN_BODY, NEW_BODY):
            meta = read_meta(predictions / protocol, stated(predictions))
            with foreign(predictions, "not predictions of poses"):
                whose = [int(identity) for identity in meta["attributes"]["identities"]]
            shown = Shown("", method, predictions / protocol, self.store)
            numbers = spread(len(whose), wanted or len(whose))
            found[protocol] = [(f"body {whose[k]}, pose {k}", self._predicted(shown, k)) for k in numbers]
        return found

    def _vertices(self, name: str) -> NDArray[np.float32]:
        return self.store.vertices(np.array([self.store.index_of(name)]))[0]

    def _predicted(self, shown: Shown[MeshStore], number: int) -> str:
        address = addresses.prediction(self.name, shown.method, shown.predictions.name, number)
        self._write(address, *packed(shown.vertices.rows(number, number + 1)[0]))
        return address

    def _write(self, address: str, head: NDArray[np.floating], numbers: NDArray[np.integer]) -> None:
        self._written.add(address)
        addresses.put(self.root, address, written(address, head, numbers))


def packed(vertices: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """Return the least corner (3) and the step length, and the vertices (V, 3) in integer steps from that corner.

    A step is 1/8280 of the longest side of the bounding box: 0.24 mm of a body of 2 m.
    """
    low = vertices.min(axis=0)
    step = max(float((vertices.max(axis=0) - low).max()) / LARGEST, 1e-9)
    steps = np.clip(np.round((vertices - low) / step), 0, LARGEST).astype(np.uint16)
    return np.array([*low, step], np.float32), steps
