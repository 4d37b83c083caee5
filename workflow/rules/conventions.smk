"""The predictions of tables under the conventions of published evaluations: docs/conventions.md.

REQUIRED INPUTS: predictions of every method of a table of meshes, the packed meshes, the test splits
OUTPUTS: results/conventions/{table}.csv; {table}-tau.csv, {table}-swaps.csv, {table}-claims.csv, {table}-lists.csv
and {table}-sensitivity.csv; {table}.md, {table}.png and {table}-sensitivity.png
"""

from repose.results import STUDIED


rule conventions:
    """Score the methods of {wildcards.table} under every convention."""
    input:
        data=ancient(data("conventions")),
        manifests=manifests("conventions"),
    output:
        [RESULTS.conventions(f"{{table}}-{part}") for part in STUDIED],
        sensitivity=RESULTS.conventions("{table}-sensitivity").with_suffix(".png"),
        study=multiext(
            str(RESULTS.conventions().with_suffix("")), ".csv", ".md", ".png"
        ),
        manifest=manifest_path(RESULTS.conventions()),
    log:
        "logs/conventions/{table}.log",
    benchmark:
        "benchmarks/conventions/{table}.tsv"
    wildcard_constraints:
        table=one_of(
            name for name in CONFIG.tables if CONFIG.medium_of(name) == "meshes"
        ),
    conda:
        ENV
    resources:
        mem_mb=memory_of("conventions"),
        runtime=240,
    params:
        decided_by=decided_by("conventions"),
    shell:
        "repose conventions {wildcards.table:q} 2>&1 | tee {log:q}"
