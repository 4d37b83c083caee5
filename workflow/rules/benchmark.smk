"""Versioned lists of the benchmark that others can enter, made of test splits, and their rankings.

REQUIRED INPUTS: results/data/{dataset}/catalog.parquet, results/splits/{dataset}/{part}.parquet and train.parquet, and
the packed meshes for lists of variants, `{part}-decimated` and the like
OUTPUTS: results/benchmark/{dataset}/{part}.tsv, and the hashes of its meshes;
results/benchmark/{dataset}/{part}/predicted/{method}/seed{seed}.zarr of lists of variants; and
results/benchmark/{dataset}/{part}/ranking.csv and its Markdown twin, of our methods and of what was handed in
"""

from repose.specs import VARIANTS

LISTED = one_of(PROTOCOLS)


rule benchmark:
    """Write the versioned list {wildcards.part} of {wildcards.dataset}."""
    input:
        data=ancient(data("benchmark")),
        manifests=manifests("benchmark"),
    output:
        list=RESULTS.benchmark_list(),
        hashes=RESULTS.benchmark_list().with_suffix(".meshes.txt"),
        manifest=manifest_path(RESULTS.benchmark_list()),
    log:
        "logs/benchmark/{dataset}/{part}.log",
    benchmark:
        "benchmarks/benchmark/{dataset}/{part}.tsv"
    wildcard_constraints:
        part=f"({LISTED})(-({one_of(VARIANTS)}))?",
    conda:
        ENV
    resources:
        mem_mb=memory_of("benchmark"),
        runtime=30,
    params:
        decided_by=decided_by("benchmark"),
    shell:
        "repose benchmark {wildcards.dataset:q} {wildcards.part:q} 2>&1 | tee {log:q}"


rule benchmark_predict:
    """Predict the list {wildcards.part} of {wildcards.dataset} with {wildcards.method}, seed {wildcards.seed}."""
    input:
        data=ancient(data("benchmark_predict")),
        manifests=manifests("benchmark_predict"),
    output:
        predictions=directory(RESULTS.benchmark_predictions()),
        manifest=manifest_path(RESULTS.benchmark_predictions()),
    log:
        "logs/benchmark_predict/{dataset}/{part}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/benchmark_predict/{dataset}/{part}/{method}/seed{seed}.tsv"
    wildcard_constraints:
        part=f"({LISTED})-({one_of(VARIANTS)})",
    conda:
        ENV
    threads: CONFIG.compute.threads
    resources:
        mem_mb=memory_of("benchmark_predict"),
        runtime=120,
        gpu=gpus_of("benchmark_predict"),
    params:
        decided_by=decided_by("benchmark_predict"),
    shell:
        "repose benchmark-predict {wildcards.dataset:q} {wildcards.part:q} {wildcards.method:q}"
        " --seed {wildcards.seed:q} 2>&1 | tee {log:q}"


rule rank:
    """Score and rank all that is predicted of the list {wildcards.part} of {wildcards.dataset}."""
    input:
        data=ancient(data("rank")),
        manifests=manifests("rank"),
    output:
        ranking=RESULTS.ranking(),
        markdown=RESULTS.ranking().with_suffix(".md"),
        manifest=manifest_path(RESULTS.ranking()),
    log:
        "logs/rank/{dataset}/{part}.log",
    benchmark:
        "benchmarks/rank/{dataset}/{part}.tsv"
    wildcard_constraints:
        part=f"({LISTED})(-({one_of(VARIANTS)}))?",
    conda:
        ENV
    resources:
        mem_mb=memory_of("rank"),
        runtime=120,
    params:
        decided_by=decided_by("rank"),
    shell:
        "repose submit rank {wildcards.dataset:q}/{wildcards.part:q} 2>&1 | tee {log:q}"
