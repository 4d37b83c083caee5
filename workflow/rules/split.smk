"""Triples (identity mesh, pose mesh, truth), or pairs of images, for training and for each test protocol.

REQUIRED INPUTS: results/data/{dataset}/catalog.parquet
OUTPUTS: results/splits/{dataset}/{part}.parquet, and the same as a published-style text list
"""


rule split:
    """Draw the {wildcards.part} triples or pairs of {wildcards.dataset}."""
    input:
        data=ancient(data("split")),
        manifests=manifests("split"),
    output:
        triples=RESULTS.split(),
        names=RESULTS.split().with_suffix(".txt"),
        manifest=manifest_path(RESULTS.split()),
    log:
        "logs/split/{dataset}/{part}.log",
    benchmark:
        "benchmarks/split/{dataset}/{part}.tsv"
    conda:
        ENV
    resources:
        mem_mb=memory_of("split"),
        runtime=30,
    params:
        decided_by=decided_by("split"),
    shell:
        "repose split {wildcards.dataset:q} {wildcards.part:q} 2>&1 | tee {log:q}"
