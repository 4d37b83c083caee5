"""What methods make of motions of open bodies, frame by frame: docs/motions.md.

REQUIRED INPUTS: recipes of the open datasets of a table of meshes, weights of its methods that learn
OUTPUTS: results/motions/{table}.csv, a row per motion, method, and with or without smoothing; its Markdown twin
"""


rule motions:
    """Predict and score motions with the methods of {wildcards.table}."""
    input:
        data=ancient(data("motions")),
        manifests=manifests("motions"),
    output:
        csv=RESULTS.motions(),
        markdown=RESULTS.motions().with_suffix(".md"),
        manifest=manifest_path(RESULTS.motions()),
    log:
        "logs/motions/{table}.log",
    benchmark:
        "benchmarks/motions/{table}.tsv"
    wildcard_constraints:
        table=one_of(name for name in CONFIG.tables if CONFIG.moving(name)),
    conda:
        ENV
    threads: CONFIG.compute.threads
    resources:
        mem_mb=memory_of("motions"),
        runtime=240,
        gpu=gpus_of("motions"),
    params:
        decided_by=decided_by("motions"),
    shell:
        "repose motions {wildcards.table:q} 2>&1 | tee {log:q}"
