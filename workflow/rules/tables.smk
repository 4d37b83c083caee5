"""Tables over runs.

REQUIRED INPUTS: scores, predictions and weights of every dataset, method and seed of the table; judged pictures, if it
has a scorer
OUTPUTS: results/{table}.csv and its Markdown twin
"""


rule tables:
    """Compare the methods of {wildcards.table} on its datasets."""
    input:
        scores=runs("results/scores/{dataset}/{method}/seed{seed}.manifest.json"),
        judged=runs(
            "results/judged/{dataset}/{method}/seed{seed}.manifest.json",
            CONFIG.is_judged,
        ),
    output:
        table=report(
            "results/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        markdown="results/{table}.md",
        manifest="results/{table}.manifest.json",
    log:
        "logs/tables/{table}.log",
    benchmark:
        "benchmarks/tables/{table}.tsv"
    conda:
        ENV
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        table=table_settings,
        code=medium_code("tables"),
    shell:
        "repose tables {wildcards.table} --results results --out {output.table} 2>&1 | tee {log}"
