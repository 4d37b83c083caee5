"""Pictures of predicted meshes, judged by a scorer that the workflow trains.

REQUIRED INPUTS: results/predictions/{dataset}/{method}/seed{seed}.zarr, the packed meshes, the test splits, the weights of
the scorer that a table names
OUTPUTS: results/judged/{dataset}/{method}/seed{seed}.parquet
"""


rule judge:
    """Judge pictures of {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}."""
    input:
        predictions=ancient("results/predictions/{dataset}/{method}/seed{seed}.zarr"),
        predictions_manifest="results/predictions/{dataset}/{method}/seed{seed}.manifest.json",
        store=ancient(packed),
        store_manifest=packed_manifest,
        splits=judged_splits,
        scorer=ancient(judge_output("model")),
        scorer_manifest=judge_output("manifest"),
    output:
        judged="results/judged/{dataset}/{method}/seed{seed}.parquet",
        manifest="results/judged/{dataset}/{method}/seed{seed}.manifest.json",
    log:
        "logs/judge/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/judge/{dataset}/{method}/seed{seed}.tsv"
    wildcard_constraints:
        dataset=one_of(name for table in JUDGING for name in table.datasets),
        method=one_of(name for table in JUDGING for name in table.methods),
    conda:
        ENV
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=stage_code("judge"),
    shell:
        "repose judge {wildcards.dataset} {wildcards.method} --predictions {input.predictions} --store {input.store}"
        " --splits results/splits/{wildcards.dataset} --scorer {input.scorer} --out {output.judged} 2>&1 | tee {log}"
