import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from repose.config.files import read
from repose.config.load import check, load_files, resolve
from repose.config.reference import reference, schema
from repose.errors import ReposeError
from repose.results import STUDIED

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "config.yaml"


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    vertices:",
            "    vertces:",
            r"unknown key 'datasets.open-human.vertces' \(hint: did you mean 'vertices'\?\)",
        ),
        (
            "val: 4,",
            "vla: 4,",
            r"unknown key 'datasets.open-human.identities.vla' \(hint: did you mean 'val'\?\)",
        ),
        (
            "    pooling: max",
            "    poling: max",
            r"unknown key 'methods.npt.poling' \(hint: did you mean 'pooling'\?\)",
        ),
        ("    pooling: max", "    pooling: mx", r"methods.npt.pooling: .*'max' or 'none'"),
        (
            "architecture: npt\n",
            "architecture: ntp\n",
            r"methods.npt: unknown architecture 'ntp' \(hint: did you mean 'npt'",
        ),
        (
            "  methods: [copy-identity,",
            "  methods: [copy-idenity,",
            r"'copy-idenity' is not defined \(hint: did you mean 'copy-identity'",
        ),
        ("tables:", "tabels:", r"unknown key 'tabels' \(hint: did you mean 'tables'\?\)"),
        ("    seed: 0", "    seed: -1", r"datasets.open-human.seed: .*greater than or equal to 0, got -1"),
    ],
)
def test_an_error_is_one_line_with_key_line_and_nearest_name(tmp_path, old, new, message):
    file = tmp_path / "config.yaml"
    text = DEFAULT.read_text().replace(old, new, 1)
    file.write_text(text)
    with pytest.raises(ReposeError) as caught:
        load_files(file)
    line = str(caught.value)
    assert re.search(message, line), line
    assert "\n" not in line
    where = re.search(r"config\.yaml:(\d+): ", line)
    assert where, line
    assert int(where[1]) == line_of(text, new.strip().split("\n")[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", ":2: key 'a' is given twice"),
        ("a: [1\n", "not valid YAML"),
        ("", "key 'datasets' is missing"),
        ("a: 1" + ":59" * 1_000_000, ":1: a number of 3000001 characters"),  # in base 60, hours
    ],
)
def test_broken_files_are_refused(tmp_path, text, message):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ReposeError, match=message):
        load_files(file)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(ReposeError, match="no such config file"):
        load_files(tmp_path / "none.yaml")


def test_a_wrong_value_from_the_command_line_says_so():
    values = load_files(DEFAULT).model_dump(mode="json")
    values["compute"]["thread"] = 3
    with pytest.raises(ReposeError, match=r"compute.thread.*did you mean 'threads'"):
        check(values, [DEFAULT])


def test_later_files_go_on_top_key_by_key(tmp_path):
    top = tmp_path / "top.yaml"
    top.write_text("datasets: {open-human: {vertices: 400}}\n")
    config, base = load_files(DEFAULT, top), load_files(DEFAULT)
    assert config.datasets["open-human"].vertices == 400
    assert config.datasets["open-human"].poses == base.datasets["open-human"].poses
    assert config.methods == base.methods


def test_yaml_merges_are_read(tmp_path):
    file = tmp_path / "config.yaml"
    text = DEFAULT.read_text().replace(
        "tables:", "  mine: {pooling: none, <<: *base, width: 64}\n\ntables:", 1
    )
    file.write_text(text.replace("  npt:\n", "  npt: &base\n", 1))
    methods = load_files(file).methods
    assert methods["mine"] == methods["npt"].model_copy(update={"pooling": "none", "width": 64})
    file.write_text(file.read_text().replace("    pooling: max", "    poling: max", 1))
    with pytest.raises(ReposeError, match=f"yaml:{line_of(file.read_text(), 'poling')}: .*poling"):
        load_files(file)


def test_merges_that_double_with_each_line_are_refused(tmp_path):
    """Cards of submissions are read so, too: 60 lines of empty mappings would take longer than anyone lives."""
    lines = ["m0: &m0 {}", *(f"m{k}: &m{k} {{<<: [*m{k - 1}, *m{k - 1}]}}" for k in range(1, 60))]
    (tmp_path / "card.yaml").write_text("\n".join(lines))
    with pytest.raises(ReposeError, match="its anchors stand for more than"):
        read(tmp_path / "card.yaml")


def test_what_jobs_read_is_what_was_checked(tmp_path):
    config = load_files(DEFAULT)
    path = resolve(config, tmp_path)
    assert load_files(path) == config
    assert resolve(config, tmp_path) == path and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "preset", sorted((ROOT / "workflow" / "presets").glob("*.yaml")), ids=lambda p: p.stem
)
def test_presets_are_valid_on_top_of_the_default(preset):
    assert load_files(DEFAULT, preset).tables["table1"].methods


def test_schema_and_reference_page_are_in_step_with_the_models():
    assert (ROOT / "docs" / "config.schema.json").read_text() == schema(), "run `make docs`"
    assert (ROOT / "docs" / "config.md").read_text() == reference(), "run `make docs`"


def test_the_schema_accepts_the_default_and_names_what_is_wrong():
    validator = Draft202012Validator(json.loads(schema()))
    values = yaml.safe_load(DEFAULT.read_text())
    validator.validate(values)
    del values["methods"]["npt"]["architecture"], values["methods"]["iepgan-no-gih"]["like"]
    assert [list(e.path) for e in validator.iter_errors(values)] == [
        ["methods", name] for name in ("npt", "iepgan-no-gih")
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "npr-refined: {weights_of: nrp}",
            "methods.npr-refined.weights_of: 'nrp' is not defined.*did you mean",
        ),
        ("npr-refined: {weights_of: npt}", "'npt' has no such training"),
        ("npr-refined: {width: 8}", "'npr' has another width"),
    ],
)
def test_methods_share_a_training_only_if_it_is_the_same(tmp_path, line, message):
    top = tmp_path / "top.yaml"
    top.write_text(f"methods:\n  {line}\n")
    with pytest.raises(ReposeError, match=message):
        load_files(DEFAULT, top)
    assert load_files(DEFAULT).trained_by("npr-refined") == "npr"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (
            "datasets: {faust: {source: faust, protocols: [unseen, bent]}}",
            "datasets.faust.protocols: 'faust'",
        ),
        ("tables: {table1: {protocols: [straight]}}", "tables.table1.protocols: 'open-animal'"),
    ],
)
def test_halves_are_of_datasets_that_tell_them_apart(tmp_path, line, key):
    (tmp_path / "more.yaml").write_text(f"{line}\n")
    with pytest.raises(ReposeError, match=f"{key} tells no (bent|straight) poses apart"):
        load_files(DEFAULT, tmp_path / "more.yaml")
    good = "tables: {table1: {datasets: [open-human], protocols: [unseen, bent, straight]}}"
    (tmp_path / "more.yaml").write_text(f"{good}\n")
    assert "straight" in load_files(DEFAULT, tmp_path / "more.yaml").tests_of("open-human", "npt")


@pytest.mark.parametrize("part", STUDIED)
def test_no_two_tables_have_conventions_of_one_name(tmp_path, part):
    top = tmp_path / "top.yaml"
    rows = "{datasets: [open-human], methods: [copy-pose]}"
    top.write_text(f"tables:\n  mine: {rows}\n  mine-{part}: {rows}\n")
    message = rf"top.yaml:3: tables.mine-{part}: its conventions and those of 'mine' are both called mine-{part}.csv"
    with pytest.raises(ReposeError, match=message):
        load_files(DEFAULT, top)
    images = "{datasets: [open-market], methods: [copy-source]}"  # which have none
    top.write_text(f"tables:\n  mine: {rows}\n  mine-{part}: {images}\n")
    load_files(DEFAULT, top)
