"""Stage `report`: predictions → results/figures/{table}.png."""

from pathlib import Path

from repose.config.models import Config
from repose.paths import mesh_store, run_files
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.report.figure import Shown, figure
from repose.store.meshes import MeshStore

TRIPLES = 3


def run(config: Config, table: str, results: Path, out: Path) -> None:
    """Draw the first seed of every method of a table on the first protocol of each dataset."""
    recorder = Recorder("report", stage_code("report"), {"table": table, "triples": TRIPLES})
    recorder.own(manifest_path(out))
    shown = []
    for files in run_files(config, table, results):
        if files.seed != config.tables[table].seeds[0]:
            continue
        recorder.uses(f"predictions:{files.dataset}/{files.method}", manifest_path(files.predictions))
        store = mesh_store(results, files.dataset)
        recorder.uses(f"store:{files.dataset}", manifest_path(store))
        protocol = config.datasets[files.dataset].protocols[0]
        shown.append(Shown(files.dataset, files.method, files.predictions / protocol, MeshStore(store)))
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        private.write_bytes(figure(shown, TRIPLES))
    recorder.seal(manifest_path(out), [out])
