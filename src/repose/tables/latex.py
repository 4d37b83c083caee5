"""A table as LaTeX for a paper: booktabs, escaped names, intervals, and marks for baselines and oracles."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from repose.tables.shown import Shown

MARKS = {"baseline": r"$^\dagger$", "oracle": r"$^\ddagger$"}
_MEANING = {"baseline": "a baseline, which learns nothing", "oracle": "an oracle, which is given the answer"}
_METHOD = 1  # the column that is marked
# The table is scaled down if it is wider than the page, and never scaled up.
_FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%" + "\n"
# LaTeX takes a star or a bracket after `\\` for an argument.
_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{sign: f"{{{sign}}}" for sign in "[]*"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
    **{"\0": "{}", "±": r"$\pm$", "×": r"$\times$", "²": "$^2$", "–": "--"},
}
_NUMBER = re.compile(r"(?<![\w.])(-?)(\d+(?:\.\d+)?)(?:e([+-]?\d+))?(?![\w.]*\w)")


class Latex(NamedTuple):
    """A table in parts, so that its rows can be selected and ordered.

    Attributes:
        head: the text before the first row.
        rows: a line for each row of the table.
        foot: the text after the last row, including notes and further tables.
    """

    head: str
    rows: Sequence[str]
    foot: str

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n".join([self.head, *self.rows, self.foot])


def latex(views: Sequence[Shown]) -> Latex:
    """Return tables and their notes below each other; the rows are those of the first table."""
    first, *others = (_latex(view) for view in views)
    head = f"% needs \\usepackage{{booktabs,graphicx}}\n{first.head}"
    return Latex(head, first.rows, "\n".join([first.foot, *(other.text for other in others)]))


def _latex(view: Shown) -> Latex:
    head = rf"{_FITTED}\begin{{tabular}}{{{view.aligned}}}"
    rows = [_line(view, cells, role) for cells, role in zip(view.rows, view.roles, strict=True)]
    marks = [f"{MARKS[role]} {_MEANING[role]}." for role in MARKS if role in view.roles]
    notes = [_prose(note) for note in view.notes]
    below = [
        f"\\par\\smallskip\n{{\\footnotesize {note}\\par}}" for note in (*notes, " ".join(marks)) if note
    ]
    top = [head, r"\toprule", _line(view, view.heads), r"\midrule"]
    return Latex("\n".join(top), rows, "\n".join([r"\bottomrule", r"\end{tabular}}", *below, ""]))


def _line(view: Shown, cells: Sequence[str], role: str = "") -> str:
    texts = [
        number(text) if side == "r" else escaped(text) for text, side in zip(cells, view.aligned, strict=True)
    ]
    if role in MARKS:
        texts[_METHOD] += MARKS[role]
    return f"{' & '.join(texts)} \\\\"


def escaped(text: str) -> str:
    """Escape a text so that LaTeX prints it unchanged; signs that cannot be printed become spaces."""
    signs = "".join(sign if sign.isprintable() else " " for sign in text)
    apart = re.sub("-(?=-)", "-\0", signs)  # two hyphens would become one long dash
    return "".join(_SPECIAL.get(sign, sign) for sign in apart)


def _prose(note: str) -> str:
    """Escape a paragraph in which names stand between backticks, as in Markdown."""
    parts = map(escaped, " ".join(note.split()).split("`"))
    return "".join(rf"\texttt{{{part}}}" if k % 2 else part for k, part in enumerate(parts))


def number(text: str) -> str:
    """Escape a number, its interval, or a heading with a unit: minus signs and powers of ten become mathematics."""
    parts, end = [], 0
    for found in _NUMBER.finditer(text):
        sign, digits, power = found.groups()
        parts.append(escaped(text[end : found.start()]))
        times = (
            ""
            if power is None
            else rf"10^{{{int(power)}}}"
            if digits == "1"
            else rf"{digits} \cdot 10^{{{int(power)}}}"
        )
        parts.append(f"${sign}{times or digits}$" if sign or times else digits)
        end = found.end()
    return "".join([*parts, escaped(text[end:])])
