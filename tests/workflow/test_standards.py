"""What the Snakemake world expects of a workflow: its report, and the layout of the workflow catalogue."""

import re

import yaml
from conftest import ROOT


def test_snakemake_reports_tables_and_figures_with_captions_and_labels(project):
    project.snakemake("all", "--report=report.html")
    page = (project.folder / "report.html").read_text()
    for text in (
        "table1.csv",
        "table1.png",
        "95 % interval by a bootstrap",
        "pose and truth of some test triples",
    ):
        assert text in page, text
    for name, label in (("tables", "table"), ("report", "figure")):
        rule = (ROOT / "workflow" / "rules" / f"{name}.smk").read_text()
        assert re.search(r"report\(\s.*?caption=.*?category=.*?labels=\{\"" + label, rule, flags=re.DOTALL)


def test_the_catalogue_finds_what_it_looks_for(project):
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["report"] is True and usage["software-stack-deployment"]["conda"] is True
    assert (ROOT / "config" / "README.md").exists()
    plans = [
        sorted(re.findall(r"^(?:local)?rule (\w+):", project.snakemake(*options).stdout, flags=re.MULTILINE))
        for options in (
            ("all", "--dry-run", "--forceall"),
            ("all", "--dry-run", "--forceall", "--snakefile=workflow/Snakefile"),
        )
    ]
    assert plans[0] == plans[1] and {"raw", "train", "tables", "report"} <= set(plans[0])
