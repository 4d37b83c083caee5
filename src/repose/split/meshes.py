"""Stage `split`: from the catalogue to triples of one part of the data."""

from collections.abc import Set
from dataclasses import replace
from pathlib import Path

import pandas as pd

from repose import specs
from repose.convert.catalog import read_catalog
from repose.errors import ReposeError
from repose.provenance.making import making
from repose.raw.settings import HALVES, Dataset, Paired
from repose.split.protocols import Partition, check_apart, protocol_triples, training_triples
from repose.split.published import list_digest, read_published
from repose.split.triples import TEST_ROLES, Meshes, write_list


def run(dataset: Dataset, part: str, catalog: Path, out: Path, raw: Path | None = None) -> None:
    """Write the triples of `part` (`train`, or a protocol) as parquet, and as a published-style list beside it.

    Args:
        dataset: settings of the dataset.
        part: part of the split.
        catalog: the available meshes.
        out: the parquet file.
        raw: output of the stage `raw`, which distinguishes the halves of the poses; needed if the part is one of them.

    Raises:
        ReposeError: the dataset has no triples, no such halves, or too few meshes.
    """
    if not isinstance(dataset, Paired):
        raise ReposeError(
            f"{dataset.source} has one identity: there is nothing to transfer within it",
            hint="use its meshes as the source or target of another dataset",
        )
    if part in HALVES and not raw:
        raise ReposeError(f"{dataset.source} tells no {part} poses apart", hint="`unseen` has all of them")
    spec = specs.split(dataset, part)
    listed = Path(spec.params["split"]["test_list"]) if "test_list" in spec.params["split"] else None
    if listed:
        spec = replace(spec, params={**spec.params, "test_list_sha256": list_digest(listed)})
    with making(spec, out, {"catalog": catalog} | ({"raw": raw} if raw else {})) as new:
        if new.finished:
            return
        rows = read_catalog(catalog)
        half = dataset.half(part, raw) if raw else set()
        triples = _triples(dataset, part, set(zip(rows.identity, rows.pose, strict=True)), half, listed)
        with new.file(out) as private:
            triples.to_parquet(private, index=False)
        with new.file(out.with_suffix(".txt")) as private:
            write_list(triples, private)
        new.describe = {"triples": triples.role.value_counts().to_dict()}


def _triples(
    dataset: Paired,
    part: str,
    pairs: set[tuple[int, int]],
    half: Set[int] = frozenset(),
    listed: Path | None = None,
) -> pd.DataFrame:
    identities = Partition(**dataset.identities.numbers())
    poses = Partition(**dataset.pose_parts({pose for _, pose in pairs}))
    identities.check({identity for identity, _ in pairs}, "identity")
    poses.check({pose for _, pose in pairs}, "pose")
    check_apart(identities, poses)
    if listed:
        return read_published(listed, TEST_ROLES[part], pairs, identities, poses)
    meshes, wanted = Meshes(pairs, dataset.has_truth), dataset.pairs
    if part == "train":
        return training_triples(meshes, identities, poses, wanted.train, wanted.val, dataset.seed)
    return protocol_triples(part, meshes, identities, poses, wanted.test, dataset.seed, half)
