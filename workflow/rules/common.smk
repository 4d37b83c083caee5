"""Checked configuration, wildcard constraints, and the helper functions of the rules."""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from repose.config.datasets import Licensed
from repose.config.environment import hand_down, hand_down_forced
from repose.config.load import check
from repose.errors import ReposeError
from repose.gih.cluster import LIBRARIES_MIB, mesh_mib
from repose.gih.lost import lost
from repose.provenance.code import of_medium, stage_code
from repose.raw.collect import brought

try:
    CONFIG = check(config, [Path(file) for file in workflow.configfiles])
except ReposeError as error:
    raise WorkflowError(str(error)) from None

hand_down(CONFIG, Path("results/.config"), workflow.is_main_process)
ENV = "../../envs/conda.yaml"


onstart:
    hand_down_forced(workflow.dag_settings)


wildcard_constraints:
    dataset="|".join(CONFIG.datasets),
    method="|".join(CONFIG.methods),
    table="|".join(CONFIG.tables),
    seed=r"\d+",
    number=r"\d+",
    part="train|unseen|seen-pose|one-source",


def source_of(wildcards):
    """Where a dataset comes from: `open-human`, …"""
    return CONFIG.datasets[wildcards.dataset].source


def is_licensed(name):
    """Whether a dataset is brought by its user."""
    return isinstance(CONFIG.datasets[name], Licensed)


def is_of(medium):
    """Whether a dataset is of meshes or of images, as a function of its name."""
    return lambda name: CONFIG.datasets[name].medium == medium


def one_of(names):
    """A wildcard's pattern for some of the datasets, perhaps none."""
    return "|".join(names) or "(?!)"


def raw_data(wildcards):
    """What the stage `raw` makes: a recipe, or the inventory of what a user brought."""
    if is_licensed(wildcards.dataset):
        return rules.raw_files.output.inventory
    return rules.raw.output.recipe


def raw_bodies(wildcards):
    """The recipe of the people that rendered images show; nothing for other datasets."""
    bodies = getattr(CONFIG.datasets[wildcards.dataset], "bodies", None)
    return f"results/data/{bodies}/raw.npz" if bodies else []


def raw_bodies_manifest(wildcards):
    """Its manifest."""
    return [
        path.replace(".npz", ".manifest.json")
        for path in [raw_bodies(wildcards)]
        if path
    ]


def bodies_option(wildcards):
    """The command line option that names it."""
    return f"--bodies {path}" if (path := raw_bodies(wildcards)) else ""


def raw_unpacked(wildcards):
    """The unpacked files of a licensed dataset."""
    if is_licensed(wildcards.dataset):
        return rules.raw_files.output.unpacked
    return []


def raw_settings(wildcards):
    """What the raw data of a dataset depend on."""
    return CONFIG.datasets[wildcards.dataset].raw_settings()


def raw_brought(wildcards):
    """A hash of the files that a user brought, read once and remembered; touching one does not change it."""
    inventory = Path(rules.raw_files.output.inventory.format(**wildcards))
    return brought(CONFIG.datasets[wildcards.dataset], inventory)


def split_settings(wildcards):
    """What the triples of one part of a dataset depend on."""
    return CONFIG.datasets[wildcards.dataset].split_settings(wildcards.part)


def published_list(wildcards):
    """The file of published test rows, where a dataset is given one."""
    return split_settings(wildcards).get("test_list", [])


def method_settings(wildcards):
    """What a training or a prediction depends on."""
    method, compute = CONFIG.methods[wildcards.method], CONFIG.compute
    return method.model_dump(mode="json") | {"compute": compute.model_dump(mode="json")}


def training_devices(wildcards):
    """How many devices share the batches of one training."""
    return CONFIG.compute.devices_of(CONFIG.methods[wildcards.method])


def training_gpus(wildcards):
    """GPUs of one training."""
    return training_devices(wildcards) * int(CONFIG.compute.device == "cuda")


def training_threads(wildcards):
    """CPU threads of one training."""
    return training_devices(wildcards) * CONFIG.compute.threads


def training_memory(wildcards, attempt):
    """MiB of one training; a retry after running out of memory asks for more."""
    return 8000 * attempt * training_devices(wildcards)


def gih_memory(wildcards):
    """MiB of one part; workers of another machine are not its own."""
    meshes = {"threads": CONFIG.gih.workers, "processes": CONFIG.gih.workers}.get(
        CONFIG.gih.scheduler, 0
    )
    processes = meshes if CONFIG.gih.scheduler == "processes" else 0
    each = mesh_mib(CONFIG.datasets[wildcards.dataset].vertices)
    return (1 + processes) * LIBRARIES_MIB + meshes * each


def gih_lost(wildcards):
    """Changes when matrices of a finished part have been deleted: its job runs again then."""
    folder = Path("results/gih")
    part = folder / wildcards.dataset / f"part{wildcards.number}.json"
    return lost(part, folder / f"{wildcards.dataset}.zarr")


def split_code(wildcards):
    """The hash of the code that draws triples, or pairs of images."""
    return stage_code(of_medium("split", CONFIG.datasets[wildcards.dataset].medium))


def dataset_code(stage):
    """A function of wildcards: the hash of a stage's code for the dataset's source."""

    def code(wildcards):
        return stage_code(stage, CONFIG.datasets[wildcards.dataset].module)

    return code


def method_code(stage):
    """A function of wildcards: the hash of a stage's code for the method's architecture and training."""

    def code(wildcards):
        method = CONFIG.methods[wildcards.method]
        name = of_medium(stage, method.medium) if stage == "predict" else stage
        return stage_code(name, *filter(None, [method.network, method.recipe]))

    return code


def medium_code(stage):
    """A function of wildcards: the hash of a stage's code for meshes, images or made-up poses."""

    def code(wildcards):
        if "table" in wildcards.keys():
            medium = CONFIG.medium_of(wildcards.table)
        else:
            medium = CONFIG.methods[wildcards.method].medium
        return stage_code(of_medium(stage, medium))

    return code


def packed(wildcards):
    """The packed meshes or images of a dataset."""
    medium = CONFIG.datasets[wildcards.dataset].medium
    return f"results/data/{wildcards.dataset}/{medium}.zarr"


def packed_manifest(wildcards):
    """The manifest of the packed meshes or images of a dataset."""
    return packed(wildcards).removesuffix(".zarr") + ".manifest.json"


def given_models(wildcards):
    """Weights of other trainings that a method starts from, with their manifests."""
    names = CONFIG.methods[wildcards.method].starts_from.values()
    folder = "results/runs/{dataset}/{method}/seed{seed}/model.manifest.json"
    parts = dict(dataset=wildcards.dataset, seed=wildcards.seed)
    return [folder.format(**parts, method=name) for name in names]


def given_options(wildcards):
    """The command line options that name those weights."""
    parts = CONFIG.methods[wildcards.method].starts_from
    folder = f"results/runs/{wildcards.dataset}"
    return " ".join(
        f"--given {part}={folder}/{name}/seed{wildcards.seed}/model.safetensors"
        for part, name in parts.items()
    )


def table_settings(wildcards):
    """The rows of a table."""
    return CONFIG.tables[wildcards.table].model_dump(mode="json", exclude_none=True)


def test_splits(wildcards):
    """The test lists of a dataset that a method is tried on."""
    parts = CONFIG.tests_of(wildcards.dataset, wildcards.method)
    return [
        f"results/splits/{wildcards.dataset}/{part}.manifest.json" for part in parts
    ]


def runs(pattern, wanted=lambda table, dataset, method: True):
    """A function of wildcards: `pattern` for every dataset, method and seed of a table, of those that are wanted."""

    def paths(wildcards):
        table = CONFIG.tables[wildcards.table]
        return [
            pattern.format(dataset=dataset, method=method, seed=seed)
            for dataset in table.datasets
            for method in table.methods
            if wanted(wildcards.table, dataset, method)
            for seed in table.seeds_of(method, CONFIG.methods[method].learned)
        ]

    return paths


def distances(wildcards):
    """The geodesic distances of a dataset, for a method that reads them; nothing for the others."""
    if not CONFIG.methods[wildcards.method].reads_gih:
        return []
    return f"results/gih/{wildcards.dataset}.manifest.json"


def distances_option(wildcards):
    """The command line option that names the distances."""
    if not CONFIG.methods[wildcards.method].reads_gih:
        return ""
    return f"--gih results/gih/{wildcards.dataset}.zarr"


def neighbour_settings(wildcards):
    """What the neighbours of a method depend on."""
    return CONFIG.methods[wildcards.method].neighbour_settings()


def neighbours(wildcards):
    """The manifest of the neighbours that a training looks up; nothing for most."""
    name = CONFIG.neighbours_of(wildcards.method)
    return (
        f"results/neighbours/{wildcards.dataset}/{name}.manifest.json" if name else []
    )


def neighbours_option(wildcards):
    """The command line option that names them."""
    if not (manifest := neighbours(wildcards)):
        return ""
    return f"--neighbours {manifest.replace('.manifest.json', '.zarr')}"


def scorer_model(wildcards):
    """The weights of what judges the images of a dataset; nothing where nobody does."""
    name = CONFIG.scorer_of(wildcards.dataset)
    folder = f"results/runs/{wildcards.dataset}/{name}/seed0"
    return f"{folder}/model.manifest.json" if name else []


def scorer_option(wildcards):
    """The command line option that names them."""
    if not (manifest := scorer_model(wildcards)):
        return ""
    return f"--scorer {manifest.replace('.manifest.json', '.safetensors')}"


def official_settings(wildcards):
    """The published judges of photos, by path and hash; None where there are none."""
    official = getattr(CONFIG.datasets[wildcards.dataset], "official", None)
    return official and official.model_dump(mode="json")


JUDGING = [table for table in CONFIG.tables.values() if table.scorer]


def judge_output(which):
    """A function of wildcards: an output of the training of what judges pictures of meshes; all tables share it."""

    def path(wildcards):
        parts = dict(dataset=wildcards.dataset, method=JUDGING[0].scorer, seed=0)
        return rules.train.output[which].format(**parts)

    return path


def judged_splits(wildcards):
    """The lists of a dataset that pictures of a method's meshes are judged on."""
    parts = CONFIG.judged_on(wildcards.dataset, wildcards.method)
    return [
        f"results/splits/{wildcards.dataset}/{part}.manifest.json" for part in parts
    ]


def trained_model(wildcards):
    """The weights of a learned method, perhaps trained under another name; nothing for a floor."""
    name = CONFIG.trained_by(wildcards.method)
    return training_output("manifest", wildcards) if name else []


def model_option(wildcards):
    """The command line option that names the weights."""
    name = CONFIG.trained_by(wildcards.method)
    return f"--model {training_output('model', wildcards)}" if name else ""


def training_output(which, wildcards):
    """An output of the training that gives a method its weights."""
    parts = dict(wildcards) | {"method": CONFIG.trained_by(wildcards.method)}
    return rules.train.output[which].format(**parts)
