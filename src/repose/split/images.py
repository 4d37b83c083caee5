"""Stage `split` of a dataset of images: catalogue → pairs of one part of the data."""

from pathlib import Path

import pandas as pd

from repose.config.images import Images
from repose.convert.image_catalog import read_image_catalog
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.split.image_pairs import pairs_of


def run(dataset: Images, part: str, catalog: Path, out: Path) -> None:
    """Write the pairs of `part` (`train` or `unseen`) as parquet, and as a list of names beside it."""
    params = {"part": part, "split": dataset.split_settings(part)}
    recorder = Recorder("split", stage_code("split-images"), params, dataset.seed)
    recorder.uses("catalog", manifest_path(catalog))
    if recorder.reuse(manifest_path(out)):
        return
    given = catalog.parent / "img" / "pairs.parquet"
    published = pd.read_parquet(given) if given.exists() else None
    pairs = pairs_of(part, read_image_catalog(catalog), published, dataset.pairs, dataset.seed)
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        pairs.to_parquet(private, index=False)
    names = out.with_suffix(".txt")
    with publish(names) as private:
        lines = pairs[["source_image", "target_image"]].itertuples(index=False)
        private.write_text("".join(f"{' '.join(row)}\n" for row in lines), encoding="utf-8")
    recorder.seal(manifest_path(out), [out, names], {"pairs": pairs.role.value_counts().to_dict()})
