"""The bench `dag`: a dry run of the workflow at 100 datasets × 20 methods × 5 seeds, with 30,000 jobs and more.

The plain side is a bare Snakefile with the same jobs and files, which shows the cost of Snakemake itself.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from repose.bench import Side, comparison
from repose.bench.processes import command
from repose.errors import ReposeError

DATASETS, METHODS, SEEDS = 100, 20, 5
PROJECT = Path(__file__).parents[3]
BARE = """
D, M, S = {datasets}, {methods}, {seeds}
rule tables:
    input: expand("scores/set-{{d}}/npt-{{m}}/seed{{s}}.manifest.json", d=range(D), m=range(M), s=range(S))
    output: "table1.csv"
rule raw:
    output: "data/{{d}}/raw.npz", "data/{{d}}/raw.manifest.json"
rule convert:
    input: ancient("data/{{d}}/raw.npz"), "data/{{d}}/raw.manifest.json"
    output: "data/{{d}}/catalog.parquet", "data/{{d}}/catalog.manifest.json"
rule store:
    input: ancient("data/{{d}}/catalog.parquet"), "data/{{d}}/catalog.manifest.json"
    output: "data/{{d}}/meshes.zarr", "data/{{d}}/meshes.manifest.json"
rule split:
    input: ancient("data/{{d}}/catalog.parquet"), "data/{{d}}/catalog.manifest.json"
    output: "splits/{{d}}/{{part}}.parquet", "splits/{{d}}/{{part}}.manifest.json"
rule train:
    input: ancient("data/{{d}}/meshes.zarr"), "data/{{d}}/meshes.manifest.json",
        ancient("splits/{{d}}/train.parquet"), "splits/{{d}}/train.manifest.json"
    output: "runs/{{d}}/{{m}}/seed{{s}}/model.safetensors", "runs/{{d}}/{{m}}/seed{{s}}/model.manifest.json"
rule predict:
    input: ancient("data/{{d}}/meshes.zarr"), "data/{{d}}/meshes.manifest.json",
        "runs/{{d}}/{{m}}/seed{{s}}/model.manifest.json",
        expand("splits/{{{{d}}}}/{{part}}.manifest.json", part=["unseen", "seen-pose"])
    output: "predictions/{{d}}/{{m}}/seed{{s}}.zarr", "predictions/{{d}}/{{m}}/seed{{s}}.manifest.json"
rule score:
    input: ancient("predictions/{{d}}/{{m}}/seed{{s}}.zarr"), "predictions/{{d}}/{{m}}/seed{{s}}.manifest.json",
        ancient("data/{{d}}/meshes.zarr"), "data/{{d}}/meshes.manifest.json",
        expand("splits/{{{{d}}}}/{{part}}.manifest.json", part=["unseen", "seen-pose"])
    output: "scores/{{d}}/{{m}}/seed{{s}}.parquet", "scores/{{d}}/{{m}}/seed{{s}}.manifest.json"
"""


def measure() -> dict[str, Any]:
    """Time one dry run of each side; memory is that of the process."""
    with tempfile.TemporaryDirectory() as folder:
        plain, ours = Path(folder, "plain"), Path(folder, "ours")
        _bare(plain)
        _project(ours)
        sides = {}
        bare, sides["plain"] = _dry_run(plain, "table1.csv")
        jobs, sides["ours"] = _dry_run(ours, "results/table1.csv")
    return comparison("dag", f"{jobs} jobs", sides, abs(jobs - bare))


def _bare(folder: Path) -> None:
    folder.mkdir()
    text = BARE.format(datasets=DATASETS, methods=METHODS, seeds=SEEDS)
    (folder / "Snakefile").write_text(text, encoding="utf-8")


def _project(folder: Path) -> None:
    """The real workflow with a config of many datasets and methods."""
    if not (PROJECT / "Snakefile").exists():
        raise ReposeError("no Snakefile", where=PROJECT, hint="run this from a checkout")
    folder.mkdir()
    for name in ("Snakefile", "workflow", "envs"):
        (folder / name).symlink_to(PROJECT / name)
    config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
    dataset, method = config["datasets"]["open-human"], config["methods"]["npt"]
    names = [f"set-{i}" for i in range(DATASETS)], [f"npt-{i}" for i in range(METHODS)]
    config["datasets"] = dict.fromkeys(names[0], dataset)
    config["methods"] = dict.fromkeys(names[1], method)
    config["tables"] = {"table1": {"datasets": names[0], "methods": names[1], "seeds": list(range(SEEDS))}}
    (folder / "config.yaml").write_text(_yaml(config), encoding="utf-8")


def _yaml(value: Any) -> str:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(value, Dumper=Plain, sort_keys=False)


def _dry_run(folder: Path, target: str) -> tuple[int, Side]:
    """Return the number of jobs that Snakemake would run for a target, and the cost of computing it."""
    words = [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules", "--", target]
    with (folder / "out").open("w+", encoding="utf-8") as out:
        status, used = command(words, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        out.seek(0)
        text = out.read()
    found = re.search(r"^total\s+(\d+)", text, flags=re.MULTILINE)
    if status or not found:
        raise ReposeError(f"the dry run failed: {text[-300:]}", where=folder)
    return int(found[1]), used
