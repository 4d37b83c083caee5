"""Stage `split` of a dataset of images: catalogue → pairs of one part of the data."""

from pathlib import Path

from repose import specs
from repose.convert.image_catalog import read_image_catalog
from repose.provenance.making import making
from repose.raw.settings import ImageSet
from repose.reading import read_rows
from repose.results import PAIRS
from repose.split.image_pairs import pairs_of


def run(dataset: ImageSet, part: str, catalog: Path, out: Path) -> None:
    """Write the pairs of `part` (`train` or `unseen`) as parquet, and as a list of names beside it."""
    with making(specs.split(dataset, part), out, {"catalog": catalog}) as new:
        if new.finished:
            return
        rows, published = read_image_catalog(catalog), read_rows(catalog.with_name(PAIRS))
        pairs = pairs_of(part, rows, published, dataset.pairs, dataset.seed)
        with new.file(out) as private:
            pairs.to_parquet(private, index=False)
        lines = pairs[["source_image", "target_image"]].itertuples(index=False)
        new.text(out.with_suffix(".txt"), "".join(f"{' '.join(row)}\n" for row in lines))
        new.describe = {"pairs": pairs.role.value_counts().to_dict()}
