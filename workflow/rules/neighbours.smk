"""Neighbours of faces, for the trainings of Neural Pose Representation.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr, results/splits/{dataset}/train.parquet
OUTPUTS: results/neighbours/{dataset}/{method}.zarr
"""


rule neighbours:
    """Find the neighbours that {wildcards.method} looks at on {wildcards.dataset}."""
    input:
        store=ancient(packed),
        store_manifest=packed_manifest,
        split=ancient("results/splits/{dataset}/train.parquet"),
        split_manifest="results/splits/{dataset}/train.manifest.json",
    output:
        neighbours=directory("results/neighbours/{dataset}/{method}.zarr"),
        manifest="results/neighbours/{dataset}/{method}.manifest.json",
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
        mem_mb=4000,
        runtime=240,
    params:
        settings=neighbour_settings,
        code=stage_code("neighbours"),
    shell:
        "repose neighbours {wildcards.method} --store {input.store} --split {input.split}"
        " --out {output.neighbours} 2>&1 | tee {log}"
