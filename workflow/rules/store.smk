"""Packed meshes or images, which training reads instead of files.

REQUIRED INPUTS: results/data/{dataset}/catalog.parquet and the .obj files or images it names
OUTPUTS: results/data/{dataset}/meshes.zarr, or images.zarr
"""


rule store:
    """Pack the meshes of {wildcards.dataset}."""
    input:
        data=ancient(data("store")),
        manifests=manifests("store"),
    output:
        store=directory(RESULTS.packed("meshes")),
        manifest=manifest_path(RESULTS.packed("meshes")),
    log:
        "logs/store/{dataset}.log",
    benchmark:
        "benchmarks/store/{dataset}.tsv"
    conda:
        ENV
    threads: CONFIG.convert.workers
    resources:
        mem_mb=memory_of("store"),
        runtime=120,
    params:
        decided_by=decided_by("store"),
    shell:
        "repose store {wildcards.dataset:q} 2>&1 | tee {log:q}"


use rule store as store_images with:
    """Pack the images of {wildcards.dataset}."""
    output:
        store=directory(RESULTS.packed("images")),
        manifest=manifest_path(RESULTS.packed("images")),
    threads: 1
