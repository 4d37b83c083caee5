"""Raw data as .obj files, named and laid out as the published loaders read them.

REQUIRED INPUTS: results/data/{dataset}/raw.npz, or raw.json and unpacked/ of a licensed dataset
OUTPUTS: results/data/{dataset}/catalog.parquet, and results/data/{dataset}/obj/id{i}_{j}.obj
"""


rule convert:
    """Write the bodies of {wildcards.dataset} as .obj files with a catalogue."""
    input:
        raw=ancient(raw_data),
        unpacked=ancient(raw_unpacked),
        manifest="results/data/{dataset}/raw.manifest.json",
    output:
        catalog="results/data/{dataset}/catalog.parquet",
        manifest="results/data/{dataset}/catalog.manifest.json",
        meshes=directory("results/data/{dataset}/obj"),
    log:
        "logs/convert/{dataset}.log",
    benchmark:
        "benchmarks/convert/{dataset}.tsv"
    conda:
        ENV
    resources:
        mem_mb=6000,
        runtime=240,
    params:
        code=dataset_code("convert"),
    shell:
        "repose convert {wildcards.dataset} --raw {input.raw} --out {output.catalog}"
        " 2>&1 | tee {log}"
