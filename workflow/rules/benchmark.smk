"""Versioned lists of the benchmark that others can enter, made of test splits.

REQUIRED INPUTS: results/data/{dataset}/catalog.parquet, results/splits/{dataset}/{part}.parquet and train.parquet, and
the packed meshes for lists of variants, `{part}-decimated` and the like
OUTPUTS: results/benchmark/{dataset}/{part}.tsv, and the hashes of its meshes
"""

from repose.specs import VARIANTS


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
        part=f"(unseen|seen-pose|one-source)(-({one_of(VARIANTS)}))?",
    conda:
        ENV
    threads: threads_of("benchmark")
    resources:
        mem_mb=memory_of("benchmark"),
        runtime=minutes_of("benchmark"),
        gpu=gpus_of("benchmark"),
    params:
        decided_by=decided_by("benchmark"),
    shell:
        "repose benchmark {wildcards.dataset:q} {wildcards.part:q} 2>&1 | tee {log:q}"
