"""Stage `convert`: raw data → .obj files and their catalogue."""

from pathlib import Path

from repose.config.datasets import Dataset
from repose.convert.bodies import write_bodies
from repose.progress import track
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.raw.stage import source_of


def run(dataset: Dataset, raw: Path, out: Path) -> None:
    """Write `obj/` and the catalogue `out` (parquet) beside it."""
    recorder = Recorder("convert", stage_code("convert", dataset.source), {"source": dataset.source})
    recorder.uses("raw", manifest_path(raw))
    source = source_of(dataset)
    recipe = source.Recipe.read(raw)
    identities, poses = dataset.identities.total, dataset.poses.total
    bodies = (
        (identity, pose, vertices)
        for identity in range(identities)
        for pose, vertices in enumerate(source.meshes(recipe, identity, range(poses)))
    )
    manifest = manifest_path(out)
    manifest.unlink(missing_ok=True)
    folder = out.parent / "obj"
    with publish(folder) as private:
        rows = write_bodies(
            track(bodies, identities * poses, "convert"),
            recipe.faces,
            private,
            dataset.source,
            source.LICENCE,
        )
    with publish(out) as private:
        rows.to_parquet(private, index=False)
    recorder.seal(manifest, [folder, out], {"meshes": len(rows), "units": "m", "up": "y"})
