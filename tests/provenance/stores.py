"""Small sealed stores of every kind, and readers of all that is in them."""

from pathlib import Path

import numpy as np
import pandas as pd
from gih.meshes import sphere
from puppets import puppet_store
from pydantic import TypeAdapter

from repose.config.models import Compute, Gih, Method
from repose.convert.bodies import write_bodies
from repose.gih import stage as gih
from repose.gih.reader import GihReader
from repose.predict import stage as predict
from repose.predict.read_meshes import transfers
from repose.provenance.manifest import Recorder, manifest_path
from repose.store import meshes as store
from repose.store.image_store import ImageStore
from repose.store.mesh_store import MeshStore

NAMES = [f"id{i}_{p}" for i in range(3) for p in range(2)]
TRIPLES = pd.DataFrame(
    [("id2_0", "id1_1", "id2_1"), ("id2_1", "id1_0", "id2_0")],
    columns=["identity_mesh", "pose_mesh", "truth_mesh"],
)
SETTINGS = Gih(parts=3)


def seal(stage: str, *files: Path) -> Path:
    """A manifest of some files, of which the first is the main one."""
    Recorder(stage, "code", {}).seal(manifest_path(files[0]), files)
    return files[0]


def converted(folder: Path) -> tuple[Path, Path]:
    """Catalogue and .obj files of six spheres, two poses of each of three bodies."""
    vertices, faces = sphere(1)
    bodies = ((i, p, (vertices * (1 + i + p / 2)).astype(np.float32)) for i in range(3) for p in range(2))
    rows, catalog = write_bodies(bodies, faces, folder / "obj", "test", "own"), folder / "catalog.parquet"
    rows.to_parquet(catalog, index=False)
    return seal("convert", catalog), seal("convert", folder / "obj")


def packed(folder: Path) -> Path:
    """They as a store."""
    store.run(*converted(folder), folder / "meshes.zarr")
    return folder / "meshes.zarr"


def distances(meshes: Path) -> list[Path]:
    """Their distances, gathered in `gih.zarr`; returns the parts."""
    root = meshes.with_name("gih.zarr")
    parts = [meshes.with_name("gih") / f"part{number}.json" for number in range(SETTINGS.parts)]
    for number, file in enumerate(parts):
        gih.part(SETTINGS, number, meshes, root, file)
    gih.gather(SETTINGS, parts, root)
    return parts


def predicted(meshes: Path) -> Path:
    """What the copy of the identity makes of two triples."""
    split, out = meshes.with_name("unseen.parquet"), meshes.with_name("predictions.zarr")
    TRIPLES.to_parquet(split, index=False)
    method = TypeAdapter(Method).validate_python({"architecture": "copy", "mesh": "identity"})
    predict.run(method, Compute(), meshes, {"unseen": seal("split", split)}, None, out)
    return out


def every_kind(folder: Path) -> dict[str, Path]:
    """A store of each kind, by what it holds."""
    meshes = packed(folder)
    distances(meshes)
    puppet_store(folder)
    images = seal("store", folder / "images.zarr")
    return {
        "meshes": meshes,
        "images": images,
        "distances": folder / "gih.zarr",
        "predictions": predicted(meshes),
    }


def read(kind: str, path: Path) -> list[np.ndarray]:
    """All numbers that readers take from a store."""
    if kind == "meshes":
        meshes = MeshStore(path)
        return [meshes.vertices(np.arange(len(meshes))), meshes.faces, np.array(meshes.mesh_ids)]
    if kind == "images":
        images = ImageStore(path)
        rows = np.arange(len(images))
        flows = (images.flow(images.index_of(a), images.index_of(b)) for a, b in sorted(images.pairs))
        found = [
            images.images(rows),
            images.joints(rows),
            images.segmentation(rows),
            *map(np.concatenate, zip(*flows, strict=True)),
        ]
        return [*found, np.array(images.image_ids)]
    if kind == "distances":
        reader = GihReader(path)
        return [np.array(reader.meshes), *(reader.block(name, np.arange(42)) for name in reader.meshes)]
    return [transfers(path, "unseen", TRIPLES).numpy()]
