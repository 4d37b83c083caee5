"""Stage `split`: catalogue → triples of one part of the data."""

from pathlib import Path

from repose.config.datasets import Dataset
from repose.convert.catalog import read_catalog
from repose.provenance.code import stage_code
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.publish import publish
from repose.split.protocols import Partition, protocol_triples, training_triples
from repose.split.triples import write_list


def run(dataset: Dataset, part: str, catalog: Path, out: Path) -> None:
    """Write the triples of `part` (`train`, or a protocol) as parquet, and as a published-style list beside it."""
    params = {"part": part, "split": dataset.split_settings(part)}
    recorder = Recorder("split", stage_code("split"), params, dataset.seed)
    recorder.uses("catalog", manifest_path(catalog))
    rows = read_catalog(catalog)
    identities = Partition.of_counts(**dataset.identities.model_dump())
    poses = Partition.of_counts(**dataset.poses.model_dump())
    identities.check(set(rows.identity), "identity")
    poses.check(set(rows.pose), "pose")
    pairs = dataset.pairs
    if part == "train":
        triples = training_triples(identities, poses, pairs.train, pairs.val, dataset.seed)
    else:
        triples = protocol_triples(part, identities, poses, pairs.test, dataset.seed)
    manifest_path(out).unlink(missing_ok=True)
    with publish(out) as private:
        triples.to_parquet(private, index=False)
    names = out.with_suffix(".txt")
    with publish(names) as private:
        write_list(triples, private)
    recorder.seal(manifest_path(out), [out, names], {"triples": triples.role.value_counts().to_dict()})
