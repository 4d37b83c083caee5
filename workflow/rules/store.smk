"""Packed meshes or images, which training reads instead of files.

REQUIRED INPUTS: results/data/{dataset}/catalog.parquet and the .obj files or images it names
OUTPUTS: results/data/{dataset}/meshes.zarr, or images.zarr
"""


rule store:
    """Pack the meshes of {wildcards.dataset}."""
    input:
        catalog=ancient("results/data/{dataset}/catalog.parquet"),
        meshes=ancient("results/data/{dataset}/obj"),
        manifest="results/data/{dataset}/catalog.manifest.json",
    output:
        store=directory("results/data/{dataset}/meshes.zarr"),
        manifest="results/data/{dataset}/meshes.manifest.json",
    log:
        "logs/store/{dataset}.log",
    benchmark:
        "benchmarks/store/{dataset}.tsv"
    conda:
        ENV
    threads: CONFIG.convert.workers
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=stage_code("store"),
    shell:
        "repose store --catalog {input.catalog} --out {output.store} 2>&1 | tee {log}"


rule store_images:
    """Pack the images of {wildcards.dataset}."""
    input:
        catalog=ancient("results/data/{dataset}/catalog.parquet"),
        images=ancient("results/data/{dataset}/img"),
        manifest="results/data/{dataset}/catalog.manifest.json",
    output:
        store=directory("results/data/{dataset}/images.zarr"),
        manifest="results/data/{dataset}/images.manifest.json",
    log:
        "logs/store/{dataset}.log",
    benchmark:
        "benchmarks/store/{dataset}.tsv"
    conda:
        ENV
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=stage_code("store-images"),
    shell:
        "repose store --images --catalog {input.catalog} --out {output.store} 2>&1 | tee {log}"
