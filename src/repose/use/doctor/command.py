"""`repose doctor MESH`: facts and findings, for people or as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from repose.mesh.formats.asset import read_asset
from repose.mesh.mesh import Mesh
from repose.use.doctor.facts import Facts, gather
from repose.use.doctor.words import findings


def run(path: Path, as_json: bool = False) -> None:
    """Print facts and findings about a mesh; with `as_json` one object on a line.

    Raises:
        MeshError: the file cannot be read.
    """
    facts = examine(path)
    unusual = findings(facts)
    record = {"file": str(path), **asdict(facts), "findings": unusual}
    print(json.dumps(record) if as_json else "\n".join(_page(path, facts, unusual)))


def examine(path: Path) -> Facts:
    """Read and measure one mesh file; the vertices of an .stl, whose faces share none, are joined first."""
    asset = read_asset(path)
    mesh = asset.file
    if path.suffix.lower() == ".stl":
        mesh = Mesh(asset.mesh.vertices, asset.scatter[asset.file.faces])
    return gather(mesh, asset.is_y_up, path)


def _page(path: Path, facts: Facts, unusual: list[str]) -> Iterator[str]:
    yield str(path)
    for name, value in asdict(facts).items():
        if isinstance(value, dict):
            value = f"{value['value']} ({value['trust']}: {value['why']})"
        elif value is None:
            value = "unknown"
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        yield f"  {name:22} {value:.4g}" if isinstance(value, float) else f"  {name:22} {value}"
    yield "  unusual:" if unusual else "  nothing unusual for a body"
    yield from (f"  - {sentence}" for sentence in unusual)
