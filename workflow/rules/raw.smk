"""Raw data: those of the open datasets are made from a seed, the others are brought by users.

REQUIRED INPUTS: data/raw/{source}/ for a licensed dataset: files or archives as downloaded, see docs/data.md;
results/data/{bodies}/raw.npz for a dataset of rendered images
OUTPUTS: results/data/{dataset}/raw.npz, the recipe of all identities and poses (small), of an open dataset;
results/data/{dataset}/raw.json, the inventory of raw files, and unpacked/ beside it, of a licensed one
"""


rule raw:
    """Draw identities and poses of {wildcards.dataset}, or clothes and cameras."""
    input:
        bodies=ancient(raw_bodies),
        manifest=raw_bodies_manifest,
    output:
        recipe="results/data/{dataset}/raw.npz",
        manifest="results/data/{dataset}/raw.manifest.json",
    log:
        "logs/raw/{dataset}.log",
    benchmark:
        "benchmarks/raw/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(name for name in CONFIG.datasets if not is_licensed(name)),
    conda:
        ENV
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        settings=raw_settings,
        code=dataset_code("raw"),
        bodies=bodies_option,
    shell:
        "repose raw {wildcards.dataset} {params.bodies} --out {output.recipe} 2>&1 | tee {log}"


rule raw_files:
    """Check what was brought for {wildcards.dataset}, unpack archives, and list the files with their hashes."""
    output:
        inventory="results/data/{dataset}/raw.json",
        unpacked=directory("results/data/{dataset}/unpacked"),
        manifest="results/data/{dataset}/raw.manifest.json",
    log:
        "logs/raw/{dataset}.log",
    benchmark:
        "benchmarks/raw/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(filter(is_licensed, CONFIG.datasets)),
    conda:
        ENV
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        settings=raw_settings,
        brought=raw_brought,
        code=dataset_code("raw-files"),
    shell:
        "repose raw {wildcards.dataset} --out {output.inventory} 2>&1 | tee {log}"
