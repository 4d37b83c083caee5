"""Geodesics in heat: distances between all vertices of every mesh. No default target needs them.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr
OUTPUTS: results/gih/{dataset}.zarr with its manifest. Of the store only the index is declared as an output, because
Snakemake deletes outputs before it runs a rule: one changed mesh would cost all matrices. A part is run again when
matrices that it made have been deleted (`lost`).
"""

from repose.gih.lost import lost


rule gih_part:
    """Compute part {wildcards.number} of the geodesic distances of {wildcards.dataset}."""
    input:
        data=ancient(data("gih_part")),
        manifests=manifests("gih_part"),
    output:
        part=RESULTS.gih_part(),
        manifest=manifest_path(RESULTS.gih_part()),
    log:
        "logs/gih/{dataset}/part{number}.log",
    benchmark:
        "benchmarks/gih/{dataset}/part{number}.tsv"
    conda:
        ENV
    threads: CONFIG.gih.workers
    resources:
        mem_mb=memory_of("gih_part"),
        runtime=720,
        gpu=gpus_of("gih_part"),
    params:
        decided_by=decided_by("gih_part"),
        lost=lambda wildcards: lost(
            RESULTS.gih_part(**wildcards), RESULTS.gih(wildcards.dataset)
        ),
    shell:
        "repose gih part {wildcards.dataset:q} {wildcards.number:q} --lost={params.lost:q} 2>&1 | tee {log:q}"


rule gih:
    """Gather the geodesic distances of {wildcards.dataset} in one checked store."""
    input:
        data=ancient(data("gih")),
        manifests=manifests("gih"),
    output:
        index=RESULTS.gih() / "zarr.json",
        manifest=manifest_path(RESULTS.gih()),
    log:
        "logs/gih/{dataset}.log",
    benchmark:
        "benchmarks/gih/{dataset}.tsv"
    conda:
        ENV
    resources:
        mem_mb=memory_of("gih"),
        runtime=120,
    params:
        decided_by=decided_by("gih"),
    shell:
        "repose gih gather {wildcards.dataset:q} 2>&1 | tee {log:q}"
