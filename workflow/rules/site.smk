"""Pages of the results.

REQUIRED INPUTS: every table, and the runs behind it
OUTPUTS: results/site/, which opens from disk
"""


rule site:
    """Show every table, its bodies and curves, and where each number came from."""
    input:
        manifests=manifests("site"),
    output:
        pages=directory(RESULTS.site),
        manifest=manifest_path(RESULTS.site),
    log:
        "logs/site.log",
    benchmark:
        "benchmarks/site.tsv"
    conda:
        ENV
    resources:
        mem_mb=memory_of("site"),
        runtime=60,
    params:
        decided_by=decided_by("site"),
    shell:
        "repose site 2>&1 | tee {log:q}"
