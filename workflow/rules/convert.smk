"""Raw data as .obj files, named and laid out as the published loaders read them, or as PNGs with their labels.

REQUIRED INPUTS: results/data/{dataset}/raw.npz, or raw.json and unpacked/ of a licensed dataset
OUTPUTS: results/data/{dataset}/catalog.parquet, and results/data/{dataset}/obj/id{i}_{j}.obj, or
results/data/{dataset}/img/{image}.png and .npz: hard links into results/data/{dataset}/.converted, which is not declared: Snakemake deletes outputs before it runs a rule, and one
changed mesh would cost all conversions.
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
    wildcard_constraints:
        dataset=one_of(filter(is_of("meshes"), CONFIG.datasets)),
    conda:
        ENV
    threads: CONFIG.convert.workers
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        code=dataset_code("convert"),
    shell:
        "repose convert {wildcards.dataset} --raw {input.raw} --out {output.catalog}"
        " 2>&1 | tee {log}"


rule convert_images:
    """Write the images of {wildcards.dataset} as PNGs and labels with a catalogue."""
    input:
        raw=ancient(raw_data),
        unpacked=ancient(raw_unpacked),
        manifest="results/data/{dataset}/raw.manifest.json",
    output:
        catalog="results/data/{dataset}/catalog.parquet",
        manifest="results/data/{dataset}/catalog.manifest.json",
        images=directory("results/data/{dataset}/img"),
    log:
        "logs/convert/{dataset}.log",
    benchmark:
        "benchmarks/convert/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(filter(is_of("images"), CONFIG.datasets)),
    conda:
        ENV
    threads: CONFIG.convert.workers
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        code=dataset_code("convert-images"),
    shell:
        "repose convert {wildcards.dataset} --raw {input.raw} --out {output.catalog}"
        " 2>&1 | tee {log}"
