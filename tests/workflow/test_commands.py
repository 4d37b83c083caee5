"""The shell commands of the rules: whatever a name or a stored value says, it stays one argument."""

import json
import re
import shlex
import subprocess
import sys

import pytest
import typer
from conftest import Project
from snakemake.iocontainers import Log, Params, Wildcards
from snakemake.utils import format as snakemake_format

from repose.cli import app
from repose.config.load import load_files
from repose.errors import ReposeError
from repose.gih.lost import checked, lost

COMMANDS = """
import json
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ResourceSettings
with SnakemakeApi() as api:
    workflow = api.workflow(resource_settings=ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
    print(json.dumps({rule.name: rule.shellcmd for rule in workflow.rules}))
"""
HOSTILE = (
    '"; touch x',
    "'; touch x; '",
    "$(touch x)",
    "`touch x`",
    "a b\tc\nd",
    "*",
    "~/x",
    "x > /dev/null & touch x",
    "{wildcards.dataset}",
    "\\",
    "ünï",
)
OF_RULES = ("wildcards", "params")


@pytest.fixture(scope="module")
def commands(tmp_path_factory) -> dict[str, str]:
    """The shell command of every rule that has one, before anything is filled in."""
    folder = Project(tmp_path_factory.mktemp("commands")).folder
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS], cwd=folder, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {rule: command for rule, command in found.items() if command}


def filled(command: str, value: str) -> str:
    """A command in which every wildcard, parameter and log has this value, as Snakemake writes it."""
    names = {kind: re.findall(rf"{{{kind}\.(\w+)", command) for kind in OF_RULES}
    return snakemake_format(
        command,
        wildcards=Wildcards(fromdict=dict.fromkeys(names["wildcards"], value)),
        params=Params(fromdict=dict.fromkeys(names["params"], value)),
        log=Log([value]),
    )


def words_of(text: str) -> list[str]:
    """The words of a command line; what a shell would act on is a word of its own."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    return list(lexer)


def test_every_stage_has_a_command(commands):
    named = {words[1] for words in (shlex.split(command) for command in commands.values())}
    known = set(typer.main.get_command(app).commands)
    stages = {
        "raw",
        "convert",
        "store",
        "gih",
        "split",
        "benchmark",
        "neighbours",
        "train",
        "predict",
        "score",
    }
    more = {
        "benchmark-predict",
        "submit",
        "score-renders",
        "tables",
        "report",
        "conventions",
        "motions",
        "site",
    }
    assert stages | more == named <= known


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_one_argument_and_nothing_more(commands, value):
    for rule, command in commands.items():
        plain, words = (words_of(filled(command, text)) for text in ("PLAIN", value))
        assert words == [word.replace("PLAIN", value) for word in plain], rule


@pytest.mark.parametrize("value", HOSTILE)
def test_a_shell_hands_a_hostile_value_on_as_it_is(commands, value, tmp_path):
    parts = [command.partition(" 2>&1")[0] for command in commands.values()]
    lines = [filled(part, value) for part in parts]
    script = "repose() { printf '%s\\0' \"$@\" END; }\n" + "\n".join(lines)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    told = done.stdout.removesuffix("\0END\0").split("\0END\0")
    expected = [[w.replace("PLAIN", value) for w in words_of(filled(part, "PLAIN"))[1:]] for part in parts]
    assert [line.split("\0") for line in told] == expected
    assert list(tmp_path.iterdir()) == [] and done.stderr == ""


def test_an_option_without_a_value_takes_no_other_word(commands):
    """Snakemake writes nothing for an empty text, with `:q` too; no name is empty, but what is lost may be."""
    assert "--lost=" in words_of(filled(commands["gih_part"], ""))


def test_everything_that_is_filled_in_is_quoted(commands):
    for rule, command in commands.items():
        fields = re.findall(r"{[^}]*}", command)
        assert fields and all(field.endswith(":q}") for field in fields), rule


@pytest.mark.parametrize("name", ["-h", "--help", "-", "a b", "a;b", "../x", "A", "a" * 101, ""])
def test_no_name_is_an_option_or_a_path(tmp_path, name):
    for section in ("datasets", "methods", "tables"):
        entry = {"datasets": "{source: faust}", "methods": "{architecture: copy, mesh: identity}"}.get(
            section
        )
        entry = entry or "{datasets: [faust], methods: [copy]}"
        sections = {
            "datasets": "{faust: {source: faust}}",
            "methods": "{copy: {architecture: copy, mesh: identity}}",
        }
        sections["tables"] = "{table1: {datasets: [faust], methods: [copy]}}"
        file = tmp_path / f"{section}.yaml"
        text = {name_: value for name_, value in sections.items()}
        file.write_text("".join(f"{key}: {value}\n" for key, value in text.items()))
        load_files(file)  # so that it is the name that is refused below
        text[section] = text[section][:-1] + f", {json.dumps(name)}: {entry}}}"
        file.write_text("".join(f"{key}: {value}\n" for key, value in text.items()))
        with pytest.raises(ReposeError) as refused:
            load_files(file)
        assert section in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [*HOSTILE, "0123456789abcde", "0123456789ABCDEF", 7, None, ["0" * 16]])
def test_a_stored_value_of_another_form_reaches_no_command(value):
    with pytest.raises(ReposeError, match="is not a digest"):
        checked(value)
    assert checked("") == "" and checked("0123456789abcdef") == "0123456789abcdef"


def test_a_part_whose_files_are_not_ours_says_nothing_of_lost_matrices(tmp_path):
    for text in (
        "",
        "[]",
        "{",
        '{"a": 1}',
        '{"a": []}',
        "null",
        '{"meshes": [1]}',
        '{"meshes": {"a": []}}',
        "[" * 10**5,
    ):
        (tmp_path / "part0.json").write_text(text)
        assert lost(tmp_path / "part0.json", tmp_path / "gih.zarr") == ""
