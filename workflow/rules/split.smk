"""Triples (identity mesh, pose mesh, truth), or pairs of images, for training and for each test protocol.

REQUIRED INPUTS: results/data/{dataset}/catalog.parquet
OUTPUTS: results/splits/{dataset}/{part}.parquet, and the same as a published-style text list
"""


rule split:
    """Draw the {wildcards.part} triples or pairs of {wildcards.dataset}."""
    input:
        catalog=ancient("results/data/{dataset}/catalog.parquet"),
        manifest="results/data/{dataset}/catalog.manifest.json",
        published=published_list,
    output:
        triples="results/splits/{dataset}/{part}.parquet",
        names="results/splits/{dataset}/{part}.txt",
        manifest="results/splits/{dataset}/{part}.manifest.json",
    log:
        "logs/split/{dataset}/{part}.log",
    benchmark:
        "benchmarks/split/{dataset}/{part}.tsv"
    conda:
        ENV
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=split_settings,
        code=split_code,
    shell:
        "repose split {wildcards.dataset} {wildcards.part}"
        " --catalog {input.catalog} --out {output.triples} 2>&1 | tee {log}"
