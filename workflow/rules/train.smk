"""One training per dataset, method and seed. Checkpoints live in results/.state, so that a killed job resumes.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr or images.zarr, results/splits/{dataset}/train.parquet
OUTPUTS: results/runs/{dataset}/{method}/seed{seed}/{model.safetensors,history.parquet,run.json}
"""


rule train:
    """Train {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}."""
    input:
        store=ancient(packed),
        store_manifest=packed_manifest,
        split=ancient("results/splits/{dataset}/train.parquet"),
        split_manifest="results/splits/{dataset}/train.manifest.json",
        gih=distances,
        neighbours=neighbours,
        given=given_models,
    output:
        model="results/runs/{dataset}/{method}/seed{seed}/model.safetensors",
        history="results/runs/{dataset}/{method}/seed{seed}/history.parquet",
        summary="results/runs/{dataset}/{method}/seed{seed}/run.json",
        manifest="results/runs/{dataset}/{method}/seed{seed}/model.manifest.json",
    log:
        "logs/train/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/train/{dataset}/{method}/seed{seed}.tsv"
    conda:
        ENV
    threads: training_threads
    resources:
        mem_mb=training_memory,
        runtime=1440,
        gpu=training_gpus,
    params:
        settings=method_settings,
        gih=distances_option,
        neighbours=neighbours_option,
        given=given_options,
        code=method_code("train"),
    shell:
        "repose train {wildcards.method} --seed {wildcards.seed}"
        " --store {input.store} --split {input.split} {params.gih} {params.neighbours} {params.given}"
        " --state results/.state --out {output.model}"
        " 2>&1 | tee {log}"
