"""Predicted vertices, images or poses of every test list.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr or images.zarr, the test splits, and the weights of a learned method
OUTPUTS: results/predictions/{dataset}/{method}/seed{seed}.zarr
"""


rule predict:
    """Predict the test triples of {wildcards.dataset} with {wildcards.method}, seed {wildcards.seed}."""
    input:
        data=ancient(data("predict")),
        manifests=manifests("predict"),
    output:
        predictions=directory(RESULTS.predictions()),
        manifest=manifest_path(RESULTS.predictions()),
    log:
        "logs/predict/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/predict/{dataset}/{method}/seed{seed}.tsv"
    conda:
        ENV
    threads: CONFIG.compute.threads
    resources:
        mem_mb=memory_of("predict"),
        runtime=120,
        gpu=gpus_of("predict"),
    params:
        decided_by=decided_by("predict"),
    shell:
        "repose predict {wildcards.dataset:q} {wildcards.method:q} --seed {wildcards.seed:q} 2>&1 | tee {log:q}"
