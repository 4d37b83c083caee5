"""Pictures of the results.

REQUIRED INPUTS: predictions of every method of the table, the packed meshes or images
OUTPUTS: results/figures/{table}.png
"""


rule report:
    """Show identity, pose, truth, prediction and error of some test triples of {wildcards.table}."""
    input:
        manifests=manifests("report"),
    output:
        figure=report(
            RESULTS.figure(),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "transfers of {table}"},
        ),
        manifest=manifest_path(RESULTS.figure()),
    log:
        "logs/report/{table}.log",
    benchmark:
        "benchmarks/report/{table}.tsv"
    conda:
        ENV
    resources:
        mem_mb=memory_of("report"),
        runtime=30,
    params:
        decided_by=decided_by("report"),
    shell:
        "repose report {wildcards.table:q} 2>&1 | tee {log:q}"
