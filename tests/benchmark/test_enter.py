"""From a list to a ranked row, and what an audit says of it."""

import json


def audit(site, place, check=True):
    from typer.testing import CliRunner

    from repose.cli import app

    said = CliRunner().invoke(app, ["audit", str(site.folder / "results" / place), "--json"])
    return json.loads(said.stdout[: said.stdout.rindex("}") + 1])


def test_from_the_inputs_of_a_track_to_a_ranked_row(site, submission):
    said = site.repose("submit", "check", submission)
    assert said.exit_code == 0 and "12 predictions of tiny/unseen" in said.output, said.output
    said = site.repose("submit", "score", submission, "--json")
    assert said.exit_code == 0, said.output
    rows = {row["method"]: row for row in json.loads(said.stdout[said.stdout.index("{") :])["rows"]}
    assert {name: (row["track"], row["source"]) for name, row in rows.items()} == {
        "copy-identity": ("P", "floor"),
        "copy-pose": ("PC", "floor"),
        "rotations": ("PC", "repose"),
        "closest": ("P", "repose"),
        "mine": ("P", "external"),
    }
    assert (rows["mine"]["rank"], rows["closest"]["rank"], rows["rotations"]["rank"]) == (1, 2, 1)
    assert rows["copy-identity"]["rank"] is None and rows["copy-pose"]["skill"] == 0
    assert 4 < rows["mine"]["mpve_mm"] < 12 and rows["mine"]["fail_share"] == 0
