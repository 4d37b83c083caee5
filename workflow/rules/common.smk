"""Checked configuration, wildcard constraints, and the helper functions of the rules."""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from repose.config.environment import hand_down
from repose.config.load import check
from repose.errors import ReposeError
from repose.provenance.code import stage_code

try:
    CONFIG = check(config, [Path(file) for file in workflow.configfiles])
except ReposeError as error:
    raise WorkflowError(str(error)) from None

hand_down(CONFIG, Path("results/.config"), workflow.is_main_process)
ENV = "../../envs/conda.yaml"


wildcard_constraints:
    dataset="|".join(CONFIG.datasets),
    method="|".join(CONFIG.methods),
    table="|".join(CONFIG.tables),
    seed=r"\d+",
    number=r"\d+",
    part="train|unseen|seen-pose",


def source_of(wildcards):
    """Where a dataset comes from: `open-human`, …"""
    return CONFIG.datasets[wildcards.dataset].source


def raw_settings(wildcards):
    """What the bodies of a generated dataset depend on."""
    dataset = CONFIG.datasets[wildcards.dataset]
    totals = {"identities": dataset.identities.total, "poses": dataset.poses.total}
    return {"vertices": dataset.vertices, "seed": dataset.seed} | totals


def split_settings(wildcards):
    """What the triples of one part of a dataset depend on."""
    return CONFIG.datasets[wildcards.dataset].split_settings(wildcards.part)


def method_settings(wildcards):
    """What a training or a prediction depends on."""
    method, compute = CONFIG.methods[wildcards.method], CONFIG.compute
    return method.model_dump(mode="json") | {"compute": compute.model_dump(mode="json")}


def training_memory(wildcards, attempt):
    """MiB of one training; a retry after running out of memory asks for more."""
    return 8000 * attempt


def gih_memory(wildcards):
    """MiB of one part: the libraries, and a float32 matrix with its copies for each mesh in work."""
    vertices = CONFIG.datasets[wildcards.dataset].vertices
    return 1500 + CONFIG.gih.workers * 12 * vertices**2 // 2**20


def dataset_code(stage):
    """A function of wildcards: the hash of a stage's code for the dataset's source."""

    def code(wildcards):
        return stage_code(stage, source_of(wildcards))

    return code


def method_code(stage):
    """A function of wildcards: the hash of a stage's code for the method's architecture and training."""

    def code(wildcards):
        method = CONFIG.methods[wildcards.method]
        return stage_code(stage, method.architecture, method.task)

    return code


def table_settings(wildcards):
    """The rows of a table."""
    return CONFIG.tables[wildcards.table].model_dump(mode="json")


def test_splits(wildcards):
    """The test lists of a dataset."""
    parts = CONFIG.datasets[wildcards.dataset].protocols
    return [
        f"results/splits/{wildcards.dataset}/{part}.manifest.json" for part in parts
    ]


def runs(pattern):
    """A function of wildcards: `pattern` for every dataset, method and seed of a table."""

    def paths(wildcards):
        table = CONFIG.tables[wildcards.table]
        return [
            pattern.format(dataset=dataset, method=method, seed=seed)
            for dataset in table.datasets
            for method in table.methods
            for seed in table.seeds_of(method, CONFIG.methods[method].learned)
        ]

    return paths


def trained_model(wildcards):
    """The weights of a learned method; nothing for a floor."""
    if not CONFIG.methods[wildcards.method].learned:
        return []
    return rules.train.output.manifest


def model_option(wildcards):
    """The command line option that names the weights."""
    if not CONFIG.methods[wildcards.method].learned:
        return ""
    return f"--model {rules.train.output.model.format(**wildcards)}"
