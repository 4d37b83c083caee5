"""Stage `report`: predictions → results/figures/{table}.png."""

from pathlib import Path

from repose.config.models import Config
from repose.medium import module_of
from repose.methods.settings import NEW_BODY
from repose.provenance.code import of_medium, stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.report.shown import Shown
from repose.results import packed_store, run_files


def run(config: Config, table: str, results: Path, out: Path) -> None:
    """Draw the first seed of every method of a table on the first of its protocols of each dataset."""
    medium = config.medium_of(table)
    code = stage_code(of_medium("report", medium))
    drawn = module_of("repose.report", medium)
    recorder = Recorder("report", code, {"table": table, "examples": drawn.EXAMPLES})
    recorder.own(manifest_path(out))
    shown: list[Shown] = []
    for files in run_files(config, table, results):
        if files.seed != config.tables[table].seeds[0]:
            continue
        recorder.uses(f"predictions:{files.dataset}/{files.method}", manifest_path(files.predictions))
        store = packed_store(results, files.dataset, medium)
        recorder.uses(f"store:{files.dataset}", manifest_path(store))
        protocol = config.protocols_of(files.dataset, table)[0]
        if config.methods[files.method].medium == "poses":
            protocol = NEW_BODY
        shown.append(Shown(files.dataset, files.method, files.predictions / protocol, drawn.STORE(store)))
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        private.write_bytes(drawn.figure(shown))
    recorder.seal(manifest_path(out), [out])
