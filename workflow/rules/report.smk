"""Pictures of the results.

REQUIRED INPUTS: predictions of every method of the table, the packed meshes
OUTPUTS: results/figures/{table}.png
"""


rule report:
    """Show identity, pose, truth, prediction and error of some test triples of {wildcards.table}."""
    input:
        predictions=runs(
            "results/predictions/{dataset}/{method}/seed{seed}.manifest.json"
        ),
    output:
        figure=report(
            "results/figures/{table}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "transfers of {table}"},
        ),
        manifest="results/figures/{table}.manifest.json",
    log:
        "logs/report/{table}.log",
    benchmark:
        "benchmarks/report/{table}.tsv"
    conda:
        ENV
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        table=table_settings,
        code=medium_code("report"),
    shell:
        "repose report {wildcards.table} --results results --out {output.figure} 2>&1 | tee {log}"
