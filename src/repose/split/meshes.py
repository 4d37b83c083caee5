"""Stage `split`: catalogue → triples of one part of the data."""

from pathlib import Path
from typing import Any

import pandas as pd

from repose.config.datasets import Dataset, Paired
from repose.convert.catalog import read_catalog
from repose.errors import ReposeError
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.split.protocols import Partition, check_apart, protocol_triples, training_triples
from repose.split.published import list_digest, read_published
from repose.split.triples import TEST_ROLES, Meshes, write_list


def run(dataset: Dataset, part: str, catalog: Path, out: Path) -> None:
    """Write the triples of `part` (`train`, or a protocol) as parquet, and as a published-style list beside it."""
    if not isinstance(dataset, Paired):
        raise ReposeError(
            f"{dataset.source} has one identity: there is nothing to transfer within it",
            hint="use its meshes as the source or target of another dataset",
        )
    params: dict[str, Any] = {"part": part, "split": dataset.split_settings(part)}
    given = Path(params["split"]["test_list"]) if "test_list" in params["split"] else None
    if given:
        params["test_list_sha256"] = list_digest(given)
    recorder = Recorder("split", stage_code("split"), params, dataset.seed)
    recorder.uses("catalog", manifest_path(catalog))
    if recorder.reuse(manifest_path(out)):
        return
    rows = read_catalog(catalog)
    triples = _triples(dataset, part, set(zip(rows.identity, rows.pose, strict=True)), given)
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        triples.to_parquet(private, index=False)
    names = out.with_suffix(".txt")
    with publish(names) as private:
        write_list(triples, private)
    recorder.seal(manifest_path(out), [out, names], {"triples": triples.role.value_counts().to_dict()})


def _triples(
    dataset: Paired, part: str, pairs: set[tuple[int, int]], given: Path | None = None
) -> pd.DataFrame:
    identities = Partition(**dataset.identities.numbers())
    poses = Partition(**dataset.pose_parts({pose for _, pose in pairs}))
    identities.check({identity for identity, _ in pairs}, "identity")
    poses.check({pose for _, pose in pairs}, "pose")
    check_apart(identities, poses)
    if given:
        return read_published(given, TEST_ROLES[part], pairs, identities, poses)
    meshes, wanted = Meshes(pairs, dataset.has_truth), dataset.pairs
    if part == "train":
        return training_triples(meshes, identities, poses, wanted.train, wanted.val, dataset.seed)
    return protocol_triples(part, meshes, identities, poses, wanted.test, dataset.seed)
