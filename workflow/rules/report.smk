"""Pictures of the results.

REQUIRED INPUTS: predictions of every method of the table, the packed meshes
OUTPUTS: results/figures/table1.png
"""


rule report:
    """Show identity, pose, truth, prediction and error of some test triples, method by method."""
    input:
        predictions=runs(
            "results/predictions/{dataset}/{method}/seed{seed}.manifest.json"
        ),
    output:
        figure=report(
            "results/figures/table1.png",
            caption="../report/figure1.rst",
            category="Figures",
            labels={"figure": "transfers of table 1"},
        ),
        manifest="results/figures/table1.manifest.json",
    log:
        "logs/report/table1.log",
    benchmark:
        "benchmarks/report/table1.tsv"
    conda:
        ENV
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        table=CONFIG.table1.model_dump(mode="json"),
        code=stage_code("report"),
    shell:
        "repose report --results results --out {output.figure} 2>&1 | tee {log}"
