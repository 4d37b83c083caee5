import os

import pytest

from repose.errors import ReposeError
from repose.provenance import slurm

SQUEUE = """#!/bin/sh
n=$(cat {0}/n 2>/dev/null || echo 1)
echo $((n + 1)) > {0}/n
answer=$(sed -n "${{n}}p" {0}/answers)
[ "$answer" ] || {{ echo "Unable to contact slurm controller" >&2; exit 1; }}
[ "$answer" = none ] || echo "$answer"
"""


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """Put a squeue on the path that says one line of `answers` after the other; an empty one is a failure."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {
        "squeue": SQUEUE.format(folder),
        "scancel": f'#!/bin/sh\necho "$@" > {folder}/cancelled\n',
    }.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(slurm.time, "sleep", lambda seconds: None)

    def say(*lines):
        (folder / "answers").write_text("".join(f"{line}\n" for line in lines))
        return folder

    return say


def test_a_slurm_that_does_not_answer_for_a_while_is_asked_until_the_jobs_are_gone(answers, tmp_path):
    job = f"42|rule_train_wildcards_x|{tmp_path}"
    folder = answers(job, "", job, "none")
    assert slurm.cancel_leftovers(tmp_path) == ["Slurm job 42, rule_train_wildcards_x"]
    assert (folder / "cancelled").read_text() == "42\n" and (folder / "n").read_text() == "5\n"


def test_jobs_of_which_slurm_tells_no_more_are_not_taken_for_gone(answers, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "PATIENCE", 0.2)
    answers(f"42|rule_train|{tmp_path}")
    with pytest.raises(ReposeError, match="Slurm job 42 does not end"):
        slurm.cancel_leftovers(tmp_path)


def test_a_slurm_that_never_answered_stops_nothing_and_is_named(answers, tmp_path, capsys):
    answers("")
    assert slurm.cancel_leftovers(tmp_path) == []
    assert "squeue does not answer (Unable to contact slurm controller)" in capsys.readouterr().err
