"""Stage `split` of a dataset of images: from the catalogue to pairs of one part of the data.

A pair shows one person in the same clothes: the source gives the appearance, the target the pose.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from repose import specs
from repose.columns import PAIR
from repose.convert.image_catalog import read_image_catalog
from repose.errors import ReposeError
from repose.provenance.making import making
from repose.raw.settings import ImagePairs, ImageSet
from repose.reading import read_rows
from repose.results import PAIRS

COLUMNS = [*PAIR, "role"]
# Fixed numbers, so that the draws of one role do not depend on other roles.
_STREAM = {"train": 0, "val": 1, "test": 2}


def run(dataset: ImageSet, part: str, catalog: Path, out: Path) -> None:
    """Write the pairs of `part` (`train` or `unseen`) as parquet, and as a list of names beside it."""
    with making(specs.split(dataset, part), out, {"catalog": catalog}) as new:
        if new.finished:
            return
        rows, published = read_image_catalog(catalog), read_rows(catalog.with_name(PAIRS))
        pairs = pairs_of(part, rows, published, dataset.pairs, dataset.seed)
        with new.file(out) as private:
            pairs.to_parquet(private, index=False)
        lines = pairs[PAIR].itertuples(index=False)
        new.text(out.with_suffix(".txt"), "".join(f"{' '.join(row)}\n" for row in lines))
        new.describe = {"pairs": pairs.role.value_counts().to_dict()}


def pairs_of(
    part: str, rows: pd.DataFrame, published: pd.DataFrame, wanted: ImagePairs, seed: int
) -> pd.DataFrame:
    """Return the pairs of a part: `train`, with the roles train and val, or `unseen`, with the role test.

    Args:
        part: name of the part.
        rows: the catalogue; images of one `outfit` are paired, in the role of their `part`.
        published: published pairs (source_image, target_image, part), possibly empty; for a role that they contain,
            nothing is drawn.
        wanted: number of pairs of each role.
        seed: seed of the draw.

    Returns:
        Columns `COLUMNS`.

    Raises:
        ReposeError: a role has no pair, or a test person has another role, too.
    """
    roles = {"train": ("train", "val"), "unseen": ("test",)}[part]
    tables = [_role(role, rows, published, getattr(wanted, role), seed) for role in roles]
    _check_apart(rows)
    return pd.concat(tables, ignore_index=True)


def _role(
    role: str, rows: pd.DataFrame, published: pd.DataFrame, count: int | None, seed: int
) -> pd.DataFrame:
    given = published[published["part"] == role]
    if len(given):
        pairs = given[PAIR].reset_index(drop=True)
        if unknown := set(pairs.to_numpy().ravel()) - set(rows.image_id):
            raise ReposeError(f"a {role} pair names {min(unknown)}, which is not among the images")
    else:
        pairs = _ordered_pairs(rows[rows["part"] == role])
    if not len(pairs):
        raise ReposeError(
            f"no {role} pair: no two images of one outfit", hint="ask for more images of each outfit"
        )
    if count is not None and count < len(pairs):
        chosen = np.random.default_rng([seed, _STREAM[role]]).choice(len(pairs), count, replace=False)
        pairs = pairs.iloc[np.sort(chosen)].reset_index(drop=True)
    return pairs.assign(role=role)[COLUMNS]


def _ordered_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return all ordered pairs of different images of one outfit."""
    names = rows[["outfit", "image_id"]]
    both = names.merge(names, on="outfit", suffixes=("_source", "_target"))
    both = both[both.image_id_source != both.image_id_target]
    both = both.rename(columns={"image_id_source": "source_image", "image_id_target": "target_image"})
    return both[PAIR].reset_index(drop=True)


def _check_apart(rows: pd.DataFrame) -> None:
    """Refuse a catalogue in which a test person is in another part too."""
    test = set(rows.identity[rows["part"] == "test"])
    if shared := test & set(rows.identity[rows["part"].isin(["train", "val"])]):
        raise ReposeError(f"identity {min(shared)} is in the test and in another part")
