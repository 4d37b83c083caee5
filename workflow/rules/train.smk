"""One training per dataset, method and seed. Checkpoints live in results/.state, so that a killed job resumes.

REQUIRED INPUTS: results/data/{dataset}/meshes.zarr or images.zarr, results/splits/{dataset}/train.parquet, and what else
a method reads: distances, neighbours, weights of other trainings
OUTPUTS: results/runs/{dataset}/{method}/seed{seed}/{model.safetensors,history.parquet,run.json}
"""


rule train:
    """Train {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}."""
    input:
        data=ancient(data("train")),
        manifests=manifests("train"),
    output:
        model=RESULTS.run(),
        history=RESULTS.run().with_name("history.parquet"),
        summary=RESULTS.run().with_name("run.json"),
        manifest=manifest_path(RESULTS.run()),
    log:
        "logs/train/{dataset}/{method}/seed{seed}.log",
    benchmark:
        "benchmarks/train/{dataset}/{method}/seed{seed}.tsv"
    wildcard_constraints:
        method=one_of(name for name, method in CONFIG.methods.items() if method.learned),
    conda:
        ENV
    threads: asked("train", lambda need: need.threads)
    resources:
        mem_mb=memory_of("train"),
        runtime=1440,
        gpu=gpus_of("train"),
    params:
        decided_by=decided_by("train"),
    shell:
        "repose train {wildcards.dataset:q} {wildcards.method:q} --seed {wildcards.seed:q} 2>&1 | tee {log:q}"
