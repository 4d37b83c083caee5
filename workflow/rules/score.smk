"""Metrics of every test triple.

REQUIRED INPUTS: results/predictions/{dataset}/{method}/seed{seed}.zarr, the packed meshes, the test splits
OUTPUTS: results/scores/{dataset}/{method}/seed{seed}.parquet
"""


rule score:
    """Score {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}."""
    input:
        predictions=ancient("results/predictions/{dataset}/{method}/seed{seed}.zarr"),
        predictions_manifest="results/predictions/{dataset}/{method}/seed{seed}.manifest.json",
        store=ancient(packed),
        store_manifest=packed_manifest,
        splits=test_splits,
        scorer=scorer_model,
    output:
        scores="results/scores/{dataset}/{method}/seed{seed}.parquet",
        manifest="results/scores/{dataset}/{method}/seed{seed}.manifest.json",
    log:
        "logs/score/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/score/{dataset}/{method}/seed{seed}.tsv"
    conda:
        ENV
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=medium_code("score"),
        scorer=scorer_option,
        official=official_settings,
    shell:
        "repose score {wildcards.dataset} {wildcards.method} --predictions {input.predictions} --store {input.store}"
        " --splits results/splits/{wildcards.dataset} {params.scorer} --out {output.scores} 2>&1 | tee {log}"
