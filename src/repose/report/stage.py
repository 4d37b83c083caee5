"""Stage `report`: predictions → results/figures/{table}.png."""

from pathlib import Path

from repose.config.models import Config
from repose.methods.settings import NEW_BODY
from repose.provenance.code import of_medium, stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.report.images import image_figure
from repose.report.meshes import figure
from repose.report.poses import pose_figure
from repose.report.shown import Shown
from repose.results import packed_store, run_files
from repose.store.image_store import ImageStore
from repose.store.mesh_store import MeshStore

TRIPLES = 4  # of each dataset


def run(config: Config, table: str, results: Path, out: Path) -> None:
    """Draw the first seed of every method of a table on the first of its protocols of each dataset."""
    medium = config.medium_of(table)
    code = stage_code(of_medium("report", medium))
    recorder = Recorder("report", code, {"table": table, "triples": TRIPLES})
    recorder.own(manifest_path(out))
    meshes: list[Shown[MeshStore]] = []
    images: list[Shown[ImageStore]] = []
    for files in run_files(config, table, results):
        if files.seed != config.tables[table].seeds[0]:
            continue
        recorder.uses(f"predictions:{files.dataset}/{files.method}", manifest_path(files.predictions))
        store = packed_store(results, files.dataset, medium)
        recorder.uses(f"store:{files.dataset}", manifest_path(store))
        protocol = config.protocols_of(files.dataset, table)[0]
        if config.methods[files.method].medium == "poses":
            protocol = NEW_BODY
        place = files.dataset, files.method, files.predictions / protocol
        if medium == "images":
            images.append(Shown(*place, ImageStore(store)))
        else:
            meshes.append(Shown(*place, MeshStore(store)))
    pictures = {
        "meshes": lambda: figure(meshes, TRIPLES),
        "images": lambda: image_figure(images, TRIPLES),
        "poses": lambda: pose_figure(meshes),
    }
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        private.write_bytes(pictures[medium]())
    recorder.seal(manifest_path(out), [out])
