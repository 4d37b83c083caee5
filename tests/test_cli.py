"""The command line as a newcomer meets it."""

import errno
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import repose.cli
from repose.errors import ReposeError


def repose_command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "repose", *arguments], capture_output=True, text=True, check=False
    )


def test_help_lists_every_stage_and_imports_nothing_heavy():
    out = repose_command("--help")
    assert out.returncode == 0
    for stage in (
        "raw",
        "convert",
        "store",
        "split",
        "train",
        "predict",
        "score",
        "score-renders",
        "tables",
        "report",
        "site",
    ):
        assert f" {stage} " in out.stdout
    panels = re.findall(r"─ ([A-Z][\w ,]+) ─", out.stdout)
    assert panels[1:] == [*repose.cli.PANELS, "Project"], "commands are grouped by who uses them"
    code = "import sys, repose.cli; print([m for m in ('torch', 'zarr', 'pandas') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            ReposeError("is missing", where="a.obj", hint="look"),
            1,
            "repose: error: a.obj: is missing (hint: look)",
        ),
        (OSError(errno.ENOSPC, "full", "x.zarr"), 1, "repose: error: x.zarr: No space left on device (hint:"),
        (
            OSError(errno.ENAMETOOLONG, "long", "x"),
            1,
            "repose: error: x: File name too long (hint: say another",
        ),
        (
            OSError(errno.EISDIR, "folder", ".x", None, "x"),
            1,
            "repose: error: x: Is a directory (hint: say ano",
        ),
        (KeyboardInterrupt(), 130, "repose: error: interrupted"),
    ],
)
def test_expected_failures_are_one_line_with_a_status(monkeypatch, capsys, error, status, message):
    def fail():
        raise error

    monkeypatch.setattr(repose.cli, "app", fail)
    with pytest.raises(SystemExit) as stopped:
        repose.cli.main()
    assert stopped.value.code == status
    printed = capsys.readouterr().err
    assert printed.startswith(message) and printed.count("\n") == 1


def test_an_interrupted_command_says_so(monkeypatch, capsys):
    app = typer.Typer()

    @app.command()
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(repose.cli, "app", app), monkeypatch.setattr(sys, "argv", ["repose"])
    with pytest.raises(SystemExit) as stopped:
        repose.cli.main()
    assert stopped.value.code == 130 and capsys.readouterr().err.startswith("repose: error: interrupted")


def test_a_name_that_is_no_utf8_can_be_said(tmp_path):
    path = tmp_path / os.fsdecode(b"x\xff.obj")
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 2 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n")
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}  # as in a locale such as en_US.UTF-8
    command = [sys.executable, "-m", "repose", "doctor", str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
    assert done.returncode == 0 and r"x\udcff.obj" in done.stdout, done.stderr


def test_a_wrong_dataset_is_named(tmp_path):
    config = Path(__file__).parents[1] / "config.yaml"
    out = repose_command("raw", "open-humn", "--config", str(config), "--results", str(tmp_path))
    assert out.returncode == 1 and out.stderr.count("\n") == 1
    assert "no dataset named 'open-humn' (hint: the config has open-human" in out.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("verify nothere.zip", "nothere.zip: no such file (hint: give what `repose publish` wrote)"),
        ("generate --run nothere --out x", "nothere: no such run (hint: give one that generates poses"),
        ("bench nosuch", "no benchmark 'nosuch' (hint: there are convert, corenet, dag, gih, gpu, hash"),
        ("open-motion raw.npz walk -o x.obj", "x.obj: a motion is written as .npz (hint: "),
        ("config", "config.yaml: no such config file"),
    ],
)
def test_what_is_asked_for_wrongly_is_said(tmp_path, monkeypatch, command, message):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(repose.cli.app, command.split())
    assert str(done.exception).startswith(message) and not any(tmp_path.iterdir())


def test_a_sound_config_is_said_to_be_one(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[1])
    for command in (["config"], ["config", "--check", "config.yaml"]):
        said = CliRunner().invoke(repose.cli.app, command).output
        assert re.fullmatch(r"config\.yaml is sound: \d+ datasets, \d+ methods, \d+ tables\n", said)


def test_it_says_its_version():
    assert CliRunner().invoke(repose.cli.app, ["--version"]).output == f"{version('repose')}\n"


def test_weights_are_named_or_a_path():
    for command in ("transfer", "animate"):
        assert "NAME|PATH" in CliRunner().invoke(repose.cli.app, [command, "--help"]).output


def test_doctor_describes_a_mesh_and_refuses_a_broken_one(tmp_path):
    (tmp_path / "a.obj").write_text(
        "v 0 0 0\nv 1 0 0\nv 0 2 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
    )
    out = repose_command("doctor", str(tmp_path / "a.obj"))
    assert out.returncode == 0
    assert "watertight             yes" in out.stdout and "it has only 4 vertices" in out.stdout
    (tmp_path / "b.obj").write_text("v 0 0 0\nf 1 2 3\n")
    out = repose_command("doctor", str(tmp_path / "b.obj"))
    assert out.returncode == 1 and "b.obj:2" in out.stderr and out.stderr.count("\n") == 1


def test_a_locale_of_ascii_ends_nothing():
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "repose", "raw", "--list"]
    done = subprocess.run(
        command, env=environment, capture_output=True, check=False, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == 0 and done.stdout.isascii() and b"faust" in done.stdout, done.stderr
