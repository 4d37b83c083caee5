"""Geodesics in heat: distances between all vertices of every mesh. No default target needs them.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr
OUTPUTS: results/gih/{dataset}.zarr with its manifest. Of the store only the index is declared as an output, because
Snakemake deletes outputs before it runs a rule: one changed mesh would cost all matrices. A part is run again when
matrices that it made have been deleted (`gih_lost`).
"""


rule gih_part:
    """Compute part {wildcards.number} of the geodesic distances of {wildcards.dataset}."""
    input:
        meshes=ancient("results/data/{dataset}/meshes.zarr"),
        manifest="results/data/{dataset}/meshes.manifest.json",
    output:
        part="results/gih/{dataset}/part{number}.json",
        manifest="results/gih/{dataset}/part{number}.manifest.json",
    log:
        "logs/gih/{dataset}/part{number}.log",
    benchmark:
        "benchmarks/gih/{dataset}/part{number}.tsv"
    conda:
        ENV
    threads: CONFIG.gih.workers
    resources:
        mem_mb=gih_memory,
        runtime=720,
        gpu=int(CONFIG.gih.backend == "cuda"),
    params:
        settings=CONFIG.gih.model_dump(mode="json"),
        code=stage_code("gih"),
        lost=gih_lost,
    shell:
        "repose gih part {wildcards.number} --meshes {input.meshes} --lost '{params.lost}'"
        " --store results/gih/{wildcards.dataset}.zarr --out {output.part} 2>&1 | tee {log}"


rule gih:
    """Gather the geodesic distances of {wildcards.dataset} in one checked store."""
    input:
        parts=collect(
            "results/gih/{{dataset}}/part{number}.json", number=range(CONFIG.gih.parts)
        ),
        manifests=collect(
            "results/gih/{{dataset}}/part{number}.manifest.json",
            number=range(CONFIG.gih.parts),
        ),
    output:
        index="results/gih/{dataset}.zarr/zarr.json",
        manifest="results/gih/{dataset}.manifest.json",
    log:
        "logs/gih/{dataset}.log",
    benchmark:
        "benchmarks/gih/{dataset}.tsv"
    conda:
        ENV
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        settings=CONFIG.gih.model_dump(mode="json"),
        code=stage_code("gih"),
    shell:
        "repose gih gather {input.parts} --store results/gih/{wildcards.dataset}.zarr"
        " 2>&1 | tee {log}"
