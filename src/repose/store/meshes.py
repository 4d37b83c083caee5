"""Stage `store`: from the catalogue and .obj files to packed meshes."""

from pathlib import Path

from repose import specs
from repose.cluster import THREADS, Cluster
from repose.convert.catalog import read_catalog
from repose.provenance.making import making
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack


def run(catalog: Path, files: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Pack the meshes of `catalog`, which lie in the folder `files`, into the Zarr store `out`."""
    inputs = {"catalog": catalog, "files": files}
    with making(specs.store("meshes"), out, inputs, later=("files",)) as new:
        if new.finished:
            return
        with new.file(out) as private:
            pack(read_catalog(catalog), files, private, cluster)
        store = MeshStore(out)
        new.describe = {"vertices": list(store.shape), "faces": list(store.faces.shape)}
