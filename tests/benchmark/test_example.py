"""The worked example of docs/benchmark.md, as it stands there: from nothing to a row."""

import os
import re
import subprocess
import sys

import yaml
from conftest import ROOT

PAGE = (ROOT / "docs" / "benchmark.md").read_text()


def block(name):
    return re.search(rf"^```\w+ {name}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)[1]


def merged(below, above):
    return {k: merged(below[k], v) if isinstance(below.get(k), dict) else v for k, v in above.items()} | {
        k: v for k, v in below.items() if k not in above
    }


def test_the_example_goes_from_nothing_to_a_row(site, tmp_path):
    said = site.repose("submit", "init", "tiny/unseen", "--track", "P", "--out", tmp_path / "mine")
    assert said.exit_code == 0, said.exception
    card = tmp_path / "mine" / "submission" / "card.yaml"
    card.write_text(yaml.safe_dump(merged(yaml.safe_load(card.read_text()), yaml.safe_load(block("card")))))
    subprocess.run([sys.executable, "-c", block("method")], cwd=tmp_path, env=os.environ, check=True)
    said = site.repose("submit", "score", tmp_path / "mine" / "submission")
    assert said.exit_code == 0, said.exception
    assert re.search(r"\| P \| \d \| closest-rotation \| external \| 1 \|", said.output), said.output


def test_the_example_is_about_30_lines():
    lines = [line for line in block("method").splitlines() if line.strip()]
    assert len(lines) <= 32


def test_the_page_names_every_metric_flag_and_track():
    from repose.benchmark.lists import FLAGS
    from repose.methods.tracks import TRACKS
    from repose.metrics.benchmark import METRICS, WITHOUT_ORDER

    for name in [*(m.name for m in (*METRICS, *WITHOUT_ORDER)), *FLAGS]:
        assert f"`{name}`" in PAGE, name
    for track in TRACKS.values():
        assert re.search(
            rf"^\| {track.letters} \| {re.escape(track.identity)} \| {re.escape(track.pose)} \|", PAGE, re.M
        )
