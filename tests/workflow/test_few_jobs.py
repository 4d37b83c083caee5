"""How many jobs a cluster is given: the profiles that make groups, and a table in pieces."""

import re
from collections import Counter

import pytest
from conftest import Project
from tiny.project import Tiny, bring_archive

TABLE = "results/table1.csv"
SEEDS = 3
PRESET = f"""
methods: {{other: {{like: npt}}, still: {{architecture: copy, mesh: identity}}}}
tables: {{table1: {{methods: [npt, other, still], seeds: {list(range(SEEDS))}}}}}
"""


@pytest.fixture
def project(tmp_path, quick_jobs) -> Tiny:
    """Two methods of three seeds and a baseline on one dataset, nothing made yet."""
    made = Tiny(tmp_path, quick_jobs)
    bring_archive(made.raw)
    (tmp_path / "preset.yaml").write_text(PRESET)
    made.presets = ("preset.yaml",)
    return made


def submitted(project: Tiny, profile: str) -> Counter[str]:
    """What Slurm would be given, by the name of the group or rule, were nothing made yet."""
    options = ("--profile=slurm", f"--profile=workflow/profiles/{profile}", "--dry-run")
    out = project.snakemake(*options, TABLE).stdout
    # The rules of a group are indented below it.
    return Counter(re.findall(r"^(?:\[.*\] Group job |rule )([\w.-]+)", out, flags=re.MULTILINE))


def test_few_jobs_are_one_for_the_data_one_for_each_method_and_the_table(project):
    assert submitted(project, "few-jobs") == {
        "faust": 1,
        "faust.npt": 1,
        "faust.other": 1,
        "faust.still": 1,
        "tables": 1,
    }


def test_a_site_with_gpus_is_given_a_training_and_its_predictions_together(project):
    found = submitted(project, "gpu")
    assert found["gpu.faust.npt"] == found["gpu.faust.other"] == SEEDS and found["gpu.faust.still"] == 1
    assert found["score"] == 2 * SEEDS + 1 and not {"train", "predict"} & set(found)


def test_a_table_in_batches_makes_each_run_once_and_the_last_one_the_table(project):
    (project.folder / "preset.yaml").write_text("tables: {table1: {seeds: [0, 1]}}\n")
    early = project.snakemake("--batch=tables=2/2", "--dry-run", TABLE, check=False)
    assert early.returncode and "not all previous batches have been completed" in early.stdout
    first, last = (project.ran(f"--batch=tables={number}/2", TABLE) for number in (1, 2))
    run = {"train": 1, "predict": 1, "score": 1}
    assert first == run | {"raw_files": 1, "convert": 1, "store": 1, "split": 2}
    assert last == run | {"tables": 1}
    assert project.planned(TABLE) == {}


def test_images_are_packed_on_the_one_core_that_it_takes(tmp_path, quick_jobs):
    """Of the workers that convert them there are three."""
    (tmp_path / "preset.yaml").write_text("convert: {workers: 3}\n")
    made = Project(tmp_path, quick_jobs)
    made.presets = (*made.presets, "preset.yaml")
    out = made.snakemake("--dry-run", "--cores=4", "results/data/open-fashion/images.zarr").stdout
    jobs = dict(re.findall(r"^rule (\w+):\n((?:    .*\n)+)", out, flags=re.MULTILINE))
    assert "threads: 3" in jobs["convert_images"] and "threads" not in jobs["store_images"]
