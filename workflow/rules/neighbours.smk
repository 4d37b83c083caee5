"""Neighbours of faces, for the trainings of Neural Pose Representation.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr, results/splits/{dataset}/train.parquet
OUTPUTS: results/neighbours/{dataset}/{method}.zarr
"""


rule neighbours:
    """Find the neighbours that {wildcards.method} looks at on {wildcards.dataset}."""
    input:
        data=ancient(data("neighbours")),
        manifests=manifests("neighbours"),
    output:
        neighbours=directory(RESULTS.neighbours()),
        manifest=manifest_path(RESULTS.neighbours()),
    log:
        "logs/neighbours/{dataset}/{method}.log",
    benchmark:
        "benchmarks/neighbours/{dataset}/{method}.tsv"
    wildcard_constraints:
        method=one_of(
            name for name in CONFIG.methods if CONFIG.neighbours_of(name) == name
        ),
    conda:
        ENV
    threads: CONFIG.compute.threads
    resources:
        mem_mb=memory_of("neighbours"),
        runtime=240,
    params:
        decided_by=decided_by("neighbours"),
    shell:
        "repose neighbours {wildcards.dataset:q} {wildcards.method:q} 2>&1 | tee {log:q}"
