"""Write GIH matrices into a store, whose layout :mod:`repose.gih.layout` describes."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.core.common import JSON

from repose.errors import ReposeError
from repose.gih import layout, order, shard
from repose.gih.codec import Lorenzo2D
from repose.gih.convention import Settings
from repose.gih.layout import ATTRIBUTES, BAND, MeshInfo
from repose.provenance.publish import lock, publish
from repose.provenance.stated import Stated, stated
from repose.reading import foreign
from repose.store.arrays import read_array

LOCK = ".lock"
_OURS = re.compile(r"(order-)?[0-9a-f]{32}|\..*\.tmp(\.old)?")  # names of matrices, orders, unfinished writes


def write_matrix(root: Path, info: MeshInfo, distances: NDArray[np.float32]) -> None:
    """Publish one matrix under its content key, in one shard that a single writer writes.

    Args:
        root: the store. info: the attributes of the matrix; ``info.scale`` from :func:`layout.scale_of`.
        distances: (V, V) float32, rows and columns in the store's vertex order.
    """
    n = len(distances)
    with publish(root / info.key, keep=True) as temporary:
        zarr.create_array(
            str(temporary),
            shape=(n, n),
            chunks=(BAND, n),
            shards=(-(-n // BAND) * BAND, n),
            dtype=np.uint16,
            filters=[Lorenzo2D()],
            compressors=[BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle", typesize=2), Crc32cCodec()],
            fill_value=0,
            attributes={ATTRIBUTES: info.as_attributes()},
        )
        file = temporary / "c" / "0" / "0"
        file.parent.mkdir(parents=True)
        _seal(temporary, shard.write(distances, info.scale, file))


def write_order(root: Path, topology: str, ranks: NDArray[np.int32]) -> None:
    """Publish the vertex order of a topology, unless it is in the store already."""
    folder = root / f"order-{topology}"
    if not folder.exists():
        attributes: dict[str, JSON] = {"format": layout.FORMAT, "order": order.order_id(ranks)}
        with publish(folder, keep=True) as temporary:
            array = zarr.create_array(
                str(temporary),
                shape=ranks.shape,
                chunks=ranks.shape,
                dtype=np.int32,
                attributes={ATTRIBUTES: attributes},
            )
            array[:] = ranks
            _seal(temporary)


def _seal(folder: Path, digests: Mapping[str, str] | None = None) -> None:
    """Add digests, and one digest over everything, to the metadata that Zarr has written."""
    file = folder / "zarr.json"
    metadata = json.loads(file.read_bytes())
    metadata["attributes"][ATTRIBUTES] |= digests or {}
    file.write_bytes(layout.seal(metadata))


def read_order(root: Path, topology: str, files: Stated) -> NDArray[np.int32]:
    """Return the vertex order of a topology: (V,) int32, ``order[r]`` is the vertex of row r.

    Raises:
        ReposeError: the order is missing or damaged.
    """
    folder = root / f"order-{topology}"
    attributes = layout.unseal(folder / "zarr.json", files)["attributes"][ATTRIBUTES]
    layout.check_format(attributes, folder)
    ranks = read_array(folder, files)
    is_order = ranks.ndim == 1 and np.array_equal(np.sort(ranks), np.arange(len(ranks)))
    if not is_order or order.order_id(ranks) != attributes.get("order"):
        raise ReposeError("the vertex order is damaged", folder, "delete and recompute the store")
    return ranks


def read_index(root: Path, files: Stated) -> dict[str, Any]:
    """Return the attributes of a store: {"format", "settings", "meshes": {name: key}}.

    Raises:
        ReposeError: there is no store, or it is damaged, or of a newer version.
    """
    attributes = layout.unseal(root / "zarr.json", files)["attributes"][ATTRIBUTES]
    layout.check_format(attributes, root)
    with foreign(root, "not the index of a GIH store", "recompute it"):
        Settings(**attributes["settings"])
        if not all(layout.KEY.fullmatch(key) for key in attributes["meshes"].values()):
            raise ValueError("a matrix has another name than ours")
    return attributes


def create(root: Path, settings: Settings) -> None:
    """Create an empty store, or check that the existing store has the same settings.

    Raises:
        ReposeError: a store with other settings, or something else, exists there.
    """
    if not (root / "zarr.json").exists():
        if root.exists() and any(not p.name.startswith(".") for p in root.iterdir()):
            raise ReposeError("the folder is not empty and not a GIH store", root, "choose another name")
        with lock(root / LOCK):
            if not (root / "zarr.json").exists():
                _write_index(root, {"settings": settings.as_dict(), "meshes": {}})
    found = Settings(**read_index(root, stated(root))["settings"])
    if found != settings:
        raise ReposeError(f"the store holds {found}, not {settings}", root, "use another store")


def commit(root: Path, keys: Mapping[str, str]) -> None:
    """Name matrices in the index, and delete matrices that are named nowhere any more.

    This is safe while others write to the same store: the index is locked, read, changed and replaced.
    """
    with lock(root / LOCK):
        index = read_index(root, stated(root))
        replaced = {old for name, old in index["meshes"].items() if keys.get(name, old) != old}
        index["meshes"] = dict(sorted((index["meshes"] | dict(keys)).items()))
        _write_index(root, index)
        for key in replaced - set(index["meshes"].values()):
            shutil.rmtree(root / key, ignore_errors=True)


def keep_only(
    root: Path, settings: Settings, keys: Mapping[str, str], files: Stated | None = None
) -> dict[str, str]:
    """Make the index name exactly ``keys``; delete other matrices and the remains of killed writers.

    Use it only while nobody else writes to the store, because their unnamed matrices would be deleted, too.

    Args:
        root: the store. settings: those of the store. keys: keys of the matrices, by the name of the mesh.
        files: statements on the metadata of the matrices, if there are any.

    Returns:
        BLAKE3 of the kept shards, by their names in the store, as stated in their metadata.

    Raises:
        ReposeError: a matrix is missing or its metadata are damaged; nothing is changed then.
    """
    shards: dict[str, str] = {}
    topologies: set[str] = set()
    for key in sorted(set(keys.values())):
        # only this is kept in memory of each shard:
        found = shard.Shard(root / key, files or Stated(root, None))
        shards[f"{key}/c/0/0"] = found.digest
        topologies.add(found.info.topology)
    for topology in topologies:
        read_order(root, topology, Stated(root, None))
    kept = {*keys.values(), *(f"order-{topology}" for topology in topologies)}
    with lock(root / LOCK):
        _write_index(root, {"settings": settings.as_dict(), "meshes": dict(sorted(keys.items()))})
        for entry in root.iterdir():
            if _OURS.fullmatch(entry.name) and entry.name not in kept:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return shards


def _write_index(root: Path, index: dict[str, Any]) -> None:
    attributes = {ATTRIBUTES: {k: v for k, v in index.items() if k != "digest"} | {"format": layout.FORMAT}}
    metadata = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    with publish(root / "zarr.json") as temporary:
        temporary.write_bytes(layout.seal(metadata))
