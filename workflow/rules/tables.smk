"""Tables over runs.

REQUIRED INPUTS: scores, predictions and weights of every dataset, method and seed of the table; scores of pictures, if
it has a scorer
OUTPUTS: results/{table}.csv and its twins in Markdown and LaTeX
"""


rule tables:
    """Compare the methods of {wildcards.table} on its datasets."""
    input:
        manifests=manifests("tables"),
    output:
        table=report(
            RESULTS.table(),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        markdown=RESULTS.table().with_suffix(".md"),
        latex=RESULTS.table().with_suffix(".tex"),
        manifest=manifest_path(RESULTS.table()),
    log:
        "logs/tables/{table}.log",
    benchmark:
        "benchmarks/tables/{table}.tsv"
    conda:
        ENV
    resources:
        mem_mb=memory_of("tables"),
        runtime=30,
    params:
        decided_by=decided_by("tables"),
    shell:
        "repose tables {wildcards.table:q} 2>&1 | tee {log:q}"
