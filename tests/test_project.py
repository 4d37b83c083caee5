"""Hints name commands that work where they are read."""

from repose.project import making, project_above


def test_a_hint_names_the_snakefile_that_lies_above(tmp_path, monkeypatch):
    project = tmp_path / "checkout" / "first"
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    assert project_above(project) is None
    assert making("results/table1.csv") == "snakemake --cores all -- results/table1.csv"
    (project.parent / "workflow" / "rules").mkdir(parents=True)
    (project.parent / "Snakefile").touch()
    assert making("a", "b") == "snakemake --cores all --snakefile ../Snakefile -- a b"
    monkeypatch.chdir(project.parent)
    assert making("a") == "snakemake --cores all -- a"
