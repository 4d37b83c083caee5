"""Tables over all runs.

REQUIRED INPUTS: scores, predictions and weights of every dataset, method and seed of the table
OUTPUTS: results/table1.csv and its Markdown twin
"""


rule tables:
    """Compare all methods on all datasets."""
    input:
        scores=runs("results/scores/{dataset}/{method}/seed{seed}.manifest.json"),
    output:
        table=report(
            "results/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "table 1"},
        ),
        markdown="results/table1.md",
        manifest="results/table1.manifest.json",
    log:
        "logs/tables/table1.log",
    benchmark:
        "benchmarks/tables/table1.tsv"
    conda:
        ENV
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        table=CONFIG.table1.model_dump(mode="json"),
        code=stage_code("tables"),
    shell:
        "repose tables --results results --out {output.table} 2>&1 | tee {log}"
