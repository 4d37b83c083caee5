"""Predicted vertices of every test triple.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr or images.zarr, the test splits, and the weights of a learned method
OUTPUTS: results/predictions/{dataset}/{method}/seed{seed}.zarr
"""


rule predict:
    """Predict the test triples of {wildcards.dataset} with {wildcards.method}, seed {wildcards.seed}."""
    input:
        store=ancient(packed),
        store_manifest=packed_manifest,
        splits=test_splits,
        model=trained_model,
    output:
        predictions=directory("results/predictions/{dataset}/{method}/seed{seed}.zarr"),
        manifest="results/predictions/{dataset}/{method}/seed{seed}.manifest.json",
    log:
        "logs/predict/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/predict/{dataset}/{method}/seed{seed}.tsv"
    conda:
        ENV
    threads: CONFIG.compute.threads
    resources:
        mem_mb=8000,
        runtime=120,
        gpu=int(CONFIG.compute.device == "cuda"),
    params:
        model=model_option,
        settings=method_settings,
        code=method_code("predict"),
    shell:
        "repose predict {wildcards.dataset} {wildcards.method} --store {input.store}"
        " --splits results/splits/{wildcards.dataset} {params.model} --out {output.predictions}"
        " 2>&1 | tee {log}"
