"""Captions of `snakemake --report`: every one that a rule names is there, and is text that the report can show."""

import io
import re

from conftest import ROOT
from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined

RULES = ROOT / "workflow" / "rules"
REPORT = ROOT / "workflow" / "report"


def test_tables_and_figures_are_in_the_report_with_captions():
    rules = {path.stem: path.read_text() for path in RULES.glob("*.smk")}
    reported = {rule for rule, text in rules.items() if "report(\n" in text}
    assert reported == {"tables", "report"}
    named = [caption for text in rules.values() for caption in re.findall(r'caption="([^"]+)"', text)]
    assert {(RULES / caption).resolve() for caption in named} == set(REPORT.glob("*.rst"))


def test_captions_are_sound():
    for caption in REPORT.glob("*.rst"):
        text = Environment(undefined=StrictUndefined).from_string(caption.read_text()).render()
        warnings = io.StringIO()
        body = publish_parts(text, writer="html", settings_overrides={"warning_stream": warnings})["body"]
        assert not warnings.getvalue() and "<p>" in body
