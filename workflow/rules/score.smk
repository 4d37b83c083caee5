"""Metrics of every test triple, pair of images or body; and of pictures of predicted meshes.

REQUIRED INPUTS: results/predictions/{dataset}/{method}/seed{seed}.zarr, the packed meshes or images, the test splits,
and the weights of a scorer where a dataset or a table names one
OUTPUTS: results/scores/{dataset}/{method}/seed{seed}.parquet, results/render-scores/{dataset}/{method}/seed{seed}.parquet
"""

RENDERED = [table for table in CONFIG.tables.values() if table.scorer]


rule score:
    """Score {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}."""
    input:
        data=ancient(data("score")),
        manifests=manifests("score"),
    output:
        scores=RESULTS.scores(),
        manifest=manifest_path(RESULTS.scores()),
    log:
        "logs/score/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/score/{dataset}/{method}/seed{seed}.tsv"
    conda:
        ENV
    resources:
        mem_mb=memory_of("score"),
        runtime=240,
    params:
        decided_by=decided_by("score"),
    shell:
        "repose score {wildcards.dataset:q} {wildcards.method:q} --seed {wildcards.seed:q} 2>&1 | tee {log:q}"


rule score_renders:
    """Score pictures of {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}."""
    input:
        data=ancient(data("score_renders")),
        manifests=manifests("score_renders"),
    output:
        scores=RESULTS.render_scores(),
        manifest=manifest_path(RESULTS.render_scores()),
    log:
        "logs/score_renders/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/score_renders/{dataset}/{method}/seed{seed}.tsv"
    wildcard_constraints:
        dataset=one_of(name for table in RENDERED for name in table.datasets),
        method=one_of(name for table in RENDERED for name in table.methods),
    conda:
        ENV
    resources:
        mem_mb=memory_of("score_renders"),
        runtime=60,
    params:
        decided_by=decided_by("score_renders"),
    shell:
        "repose score-renders {wildcards.dataset:q} {wildcards.method:q} --seed {wildcards.seed:q} 2>&1 | tee {log:q}"
