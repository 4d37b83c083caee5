"""Tables as LaTeX."""

import re
from dataclasses import replace

import pytest

from repose.tables import images, meshes, poses
from repose.tables.latex import escaped, latex, number
from repose.tables.shown import Shown
from tests.tables.test_images import run as image_run
from tests.tables.test_poses import run as pose_run
from tests.tables.test_transfer import run as transfer_run


def tables():
    untrained = [replace(transfer_run("copy-pose", 2.0), train_seconds=None, told=["registration"])]
    yield meshes, [*untrained, transfer_run("npt"), replace(transfer_run("best"), told=["answer"])]
    yield images, [image_run("copy-source", [0.2, 0.6]), image_run("flow-full", [0.3, 0.8])]
    yield poses, [transfer_run("npr"), pose_run(0), pose_run(1)]


@pytest.mark.parametrize(("medium", "runs"), list(tables()), ids=["meshes", "images", "poses"])
def test_every_row_has_as_many_cells_as_there_are_columns(medium, runs):
    table = medium.table(runs)
    made = latex(medium.views(table))
    assert len(made.rows) == len(table)
    for columns, body in re.findall(
        r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\\end\{tabular\}", made.text, re.DOTALL
    ):
        lines = [line for line in body.splitlines() if "&" in line]
        assert all(len(re.split(r"(?<!\\)&", line)) == len(columns) for line in lines) and len(lines) > 2
        assert [line for line in body.splitlines() if "rule" in line] == [
            r"\toprule",
            r"\midrule",
            r"\bottomrule",
        ]
    plain = re.sub(r"\\[{}$]", "", made.text)
    assert plain.count("{") == plain.count("}") and plain.count("$") % 2 == 0 and plain.isascii()
    assert made.text.count("begin{tabular}") == (2 if medium is poses else 1)


def test_baselines_and_oracles_are_marked_and_intervals_stand():
    medium, runs = next(tables())
    made = latex(medium.views(medium.table(runs)))
    for row, (method, mark) in zip(
        made.rows[::2], (("copy-pose", r"$^\dagger$"), ("npt", ""), ("best", r"$^\ddagger$")), strict=True
    ):
        assert row.startswith(f"open-human & {method}{mark} & unseen & ") and row.count(r" $\pm$ ") > 3
    assert made.foot.count(r"$^\dagger$ a baseline") == made.foot.count(r"$^\ddagger$ an oracle") == 1
    assert "PMD ($10^{-4}$ m$^2$)" in made.head and "Lower is better: PMD, " in made.foot


def test_names_stand_as_they_are_and_command_nothing():
    assert escaped(r"a_b&c%d$e#f{g}\h~i^j") == (
        r"a\_b\&c\%d\$e\#f\{g\}\textbackslash{}h\textasciitilde{}i\textasciicircum{}j"
    )
    assert escaped("[x]*<y>|z\n\x07") == r"{[}x{]}{*}\textless{}y\textgreater{}\textbar{}z  "
    assert escaped("a--b---c – d") == "a-{}-b-{}-{}-c -- d"
    view = Shown(["dataset", "method"], "ll", [["[1]", "*"]], ["method"], ["`a_b`: 5 %"])
    assert latex([view]).rows == [r"{[}1{]} & {*} \\"]
    assert r"\footnotesize \texttt{a\_b}: 5 \%" in latex([view]).foot


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("28.99 ± 5.3", r"28.99 $\pm$ 5.3"),
        ("-433.1 ± 110", r"$-433.1$ $\pm$ 110"),
        ("1.01e-13", r"$1.01 \cdot 10^{-13}$"),
        ("4.22 (4.687)", "4.22 (4.687)"),
        ("–", "--"),
        ("SSIM (7×7)", r"SSIM (7$\times$7)"),
        ("PMD (1e-4 m²)", "PMD ($10^{-4}$ m$^2$)"),
        ("RenderAttrRec-5", "RenderAttrRec-5"),
        ("1-NNA", "1-NNA"),
    ],
)
def test_numbers_are_written_as_in_mathematics(text, written):
    assert number(text) == written
