"""Raw data: those of the open datasets are made from a seed, the others are supplied by users.

REQUIRED INPUTS: data/raw/{source}/ for a licensed dataset: files or archives as downloaded, see docs/data.md;
results/data/{bodies}/raw.npz for a dataset of rendered images
OUTPUTS: results/data/{dataset}/raw.npz, the recipe of all identities and poses (small), of an open dataset;
results/data/{dataset}/raw.json, the inventory of raw files, and unpacked/ beside it, of a licensed one
"""

from repose.raw.collect import supplied


rule raw:
    """Draw identities and poses of {wildcards.dataset}, or clothes and cameras."""
    input:
        data=ancient(data("raw")),
        manifests=manifests("raw"),
    output:
        recipe=RESULTS.recipe(),
        manifest=manifest_path(RESULTS.recipe()),
    log:
        "logs/raw/{dataset}.log",
    benchmark:
        "benchmarks/raw/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(
            name
            for name, dataset in CONFIG.datasets.items()
            if not dataset.is_licensed
        ),
    conda:
        ENV
    resources:
        mem_mb=memory_of("raw"),
        runtime=120,
    params:
        decided_by=decided_by("raw"),
    shell:
        "repose raw {wildcards.dataset:q} 2>&1 | tee {log:q}"


rule raw_files:
    """Check what a user supplied for {wildcards.dataset}, unpack archives, and list the files with their hashes."""
    output:
        inventory=RESULTS.inventory(),
        unpacked=directory(RESULTS.unpacked()),
        manifest=manifest_path(RESULTS.inventory()),
    log:
        "logs/raw/{dataset}.log",
    benchmark:
        "benchmarks/raw/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(
            name for name, dataset in CONFIG.datasets.items() if dataset.is_licensed
        ),
    conda:
        ENV
    resources:
        mem_mb=memory_of("raw"),
        runtime=120,
    params:
        decided_by=decided_by("raw"),
        supplied=lambda wildcards: supplied(
            CONFIG.datasets[wildcards.dataset], RESULTS.inventory(wildcards.dataset)
        ),
    shell:
        "repose raw {wildcards.dataset:q} 2>&1 | tee {log:q}"
