"""Raw data of the open datasets, made from a seed.

OUTPUTS: results/data/{dataset}/raw.npz, the recipe of all identities and poses (small)
"""


rule raw:
    """Draw identities and poses of {wildcards.dataset}."""
    output:
        recipe="results/data/{dataset}/raw.npz",
        manifest="results/data/{dataset}/raw.manifest.json",
    log:
        "logs/raw/{dataset}.log",
    benchmark:
        "benchmarks/raw/{dataset}.tsv"
    conda:
        ENV
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        settings=raw_settings,
        code=dataset_code("raw"),
    shell:
        "repose raw {wildcards.dataset} --out {output.recipe} 2>&1 | tee {log}"
