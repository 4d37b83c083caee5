"""repose: raw bodies → .obj → packed meshes → splits → trainings → predictions → scores → tables."""

from pathlib import Path

from snakemake.utils import min_version

from repose.config.files import read

min_version("9.25")
read(Path("config.yaml"))  # one clear line if it is not a YAML text


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/raw.smk"
include: "workflow/rules/convert.smk"
include: "workflow/rules/store.smk"
include: "workflow/rules/gih.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/neighbours.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/conventions.smk"
include: "workflow/rules/motions.smk"
include: "workflow/rules/site.smk"


rule all:
    """Every table and figure."""
    default_target: True
    input:
        collect("results/{table}.csv", table=CONFIG.tables),
        collect("results/figures/{table}.png", table=CONFIG.tables),
    localrule: True
