"""docs/first-hour.md, as it stands there: its files are written, its commands run, and they print what it shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import preloaded.client
from conftest import ROOT, Project

PAGE = (ROOT / "docs" / "first-hour.md").read_text()
BLOCK = re.compile(
    r"(?:^`(?P<file>[\w./-]+)`:\n\n)?^```(?P<kind>\w+)(?P<setup> setup)?\n(?P<text>.*?)^```$", re.M | re.S
)


def test_a_newcomer_gets_through_the_first_hour(tmp_path, quick_jobs):
    project, folder, printed = Project(tmp_path, quick_jobs), tmp_path, ""
    (tmp_path / "config.yaml").unlink()  # the page brings its own
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "snakemake").symlink_to(preloaded.client.__file__)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    blocks = list(BLOCK.finditer(PAGE))
    assert {block["kind"] for block in blocks} == {"sh", "yaml", "python", "text"}
    for block in blocks:
        if block["file"]:
            (folder / block["file"]).parent.mkdir(exist_ok=True)
            (folder / block["file"]).write_text(block["text"])
        elif block["kind"] == "text":
            assert re.search(expected(block["text"]), printed), f"{block['text']}\nis not in\n{printed}"
        elif not block["setup"]:  # which makes the environment that the tests run in
            script = f"set -e\n{block['text']}pwd > {tools}/folder\n"
            environment = project.environment | {"PATH": path}
            done = subprocess.run(
                ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True
            )
            printed = done.stdout + done.stderr
            assert done.returncode == 0, f"{block['text']}\n{printed[-4000:]}"
            folder = Path((tools / "folder").read_text().strip())
    assert (tmp_path / "first" / "results" / "site" / "index.html").is_file()


def expected(shown: str) -> str:
    """What is shown as a pattern: `…` on a line of its own is any lines or none, elsewhere any characters."""
    pattern = ""
    for line in shown.splitlines():
        pattern += r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
    return pattern
