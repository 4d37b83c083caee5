"""Raw data as .obj files, named and laid out as the published loaders read them, or as PNGs with their labels.

REQUIRED INPUTS: results/data/{dataset}/raw.npz, or raw.json and unpacked/ of a licensed dataset
OUTPUTS: results/data/{dataset}/catalog.parquet (of images, pairs.parquet too), and results/data/{dataset}/obj/id{i}_{j}.obj,
or results/data/{dataset}/img/{image}.png and .npz, with a manifest for the catalogue and one for the folder. Its files
are hard links into results/data/{dataset}/.converted, which is not declared: Snakemake deletes outputs before it runs a
rule, and one changed mesh would cost all conversions.
"""


rule convert:
    """Write the bodies of {wildcards.dataset} as .obj files with a catalogue."""
    input:
        data=ancient(data("convert")),
        manifests=manifests("convert"),
    output:
        catalog=RESULTS.catalog(),
        manifest=manifest_path(RESULTS.catalog()),
        meshes=directory(RESULTS.converted("meshes")),
        meshes_manifest=manifest_path(RESULTS.converted("meshes")),
    log:
        "logs/convert/{dataset}.log",
    benchmark:
        "benchmarks/convert/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(
            name
            for name, dataset in CONFIG.datasets.items()
            if dataset.medium == "meshes"
        ),
    conda:
        ENV
    threads: CONFIG.convert.workers
    resources:
        mem_mb=memory_of("convert"),
        runtime=240,
    params:
        decided_by=decided_by("convert"),
    shell:
        "repose convert {wildcards.dataset:q} 2>&1 | tee {log:q}"


use rule convert as convert_images with:
    """Write the images of {wildcards.dataset} as PNGs and labels with a catalogue."""
    output:
        catalog=RESULTS.catalog(),
        pairs=RESULTS.pairs(),
        manifest=manifest_path(RESULTS.catalog()),
        images=directory(RESULTS.converted("images")),
        images_manifest=manifest_path(RESULTS.converted("images")),
    wildcard_constraints:
        dataset=one_of(
            name
            for name, dataset in CONFIG.datasets.items()
            if dataset.medium == "images"
        ),
