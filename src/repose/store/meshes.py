"""Stage `store`: catalogue and .obj files → packed meshes."""

from pathlib import Path

from repose.cluster import THREADS, Cluster
from repose.convert.catalog import read_catalog
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack


def run(catalog: Path, out: Path, cluster: Cluster = THREADS) -> None:
    """Pack the meshes of `catalog` into the Zarr store `out`."""
    recorder = Recorder("store", stage_code("store"), {})
    rows = read_catalog(catalog)
    recorder.uses("catalog", manifest_path(catalog))
    if recorder.reuse(manifest_path(out)):
        return
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        pack(rows, catalog.parent / "obj", private, cluster)
    store = MeshStore(out)
    recorder.seal(
        manifest_path(out), [out], {"vertices": list(store.shape), "faces": list(store.faces.shape)}
    )
