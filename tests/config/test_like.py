"""A variant says what it is like, and what is different."""

import re
from pathlib import Path

import pytest

from repose.config.load import load_files, resolve
from repose.errors import ReposeError

DEFAULT = Path(__file__).parents[2] / "config.yaml"
TOP = """\
methods:
  narrow: {like: npt, width: 16}
  plain:
    like: narrow
    training: {edge_weight: 0}
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def methods(tmp_path, *texts):
    tops = [write(tmp_path / f"top{number}.yaml", text) for number, text in enumerate(texts)]
    return load_files(DEFAULT, *tops).methods


def test_a_method_is_like_another_one_but_for_what_it_says(tmp_path):
    found = methods(tmp_path, TOP)
    npt, training = found["npt"], found["npt"].training
    assert found["narrow"] == npt.model_copy(update={"width": 16})
    without = training.model_copy(update={"edge_weight": 0})
    assert training.edge_weight and found["plain"] == npt.model_copy(
        update={"width": 16, "training": without}
    )


def test_what_a_later_file_says_of_a_method_holds_for_those_that_are_like_it(tmp_path):
    later = "methods: {npt: {pooling: none, width: 64, training: {steps: 7, edge_weight: 3}}}"
    plain = methods(tmp_path, TOP, later)["plain"]
    assert (plain.pooling, plain.width, plain.training.steps, plain.training.edge_weight) == (
        "none",
        16,
        7,
        0,
    )
    other = methods(tmp_path, TOP, "methods: {plain: {like: npt-original}, npt-original: {width: 48}}")[
        "plain"
    ]
    assert (other.pooling, other.width, other.training.edge_weight) == ("none", 48, 0)


def test_another_architecture_takes_the_settings_that_it_shares(tmp_path):
    found = methods(tmp_path, "methods: {mine: {like: corenet, architecture: corenet-ablated, warp: false}}")
    corenet, mine = found["corenet"], found["mine"]
    assert mine.architecture == "corenet-ablated" and not mine.warp
    assert mine.width == corenet.width and mine.training == corenet.training


def test_the_settings_of_a_part_are_those_of_the_method_that_gives_it(tmp_path):
    found = methods(
        tmp_path,
        "methods: {flow: {flow_network: {width: 5}}, npr: {keypoints: 30, training: {source: 1}}}",
    )
    for name in ("flow-no-pixel-warp", "flow-full"):
        assert (
            found[name].flow_network == found["flow"].flow_network and found["flow"].flow_network.width == 5
        )
    assert found["flow-no-flow"].flow_network is None
    assert found["npr-diffusion"].npr.keypoints == 30 and found["npr-diffusion-refined"].training.source == 1
    with pytest.raises(ReposeError, match="'npr' has another keypoints"):
        methods(tmp_path, "methods: {npr-diffusion: {npr: {keypoints: 20}}}")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("methods:\n  a:\n    like: ntp\n", 3, r"methods.a.like: 'ntp' is not defined \(hint: did you mean 'npt'\?"),
        ("methods:\n  a: {like: [npt]}\n", 2, r"methods.a.like: \['npt'\] is not defined"),
        ("methods:\n  a: {like: a}\n", 2, "methods.a.like: a like a is a circle"),
        (
            "methods:\n  a: {like: b}\n  b: {like: c}\n  c:\n    width: 3\n    like: b\n",
            6,
            "methods.c.like: b like c like b is a circle",
        ),
        ("methods:\n  a:\n    lik: npt\n", 2, "key 'methods.a.architecture' is missing .*or `like`"),
        ("methods:\n  a:\n    like: npt\n    wdth: 3\n", 4, "unknown key 'methods.a.wdth'.*did you mean 'width'"),
        ("methods:\n  a: {like: npt}\n  npt:\n    width: -3\n", 4, "methods.npt.width: .*greater than 0, got -3"),
        # What a method has from another one is named at the line where it stands.
        (
            "methods:\n  b: {like: corenet}\n  a:\n    like: b\n    architecture: npt\n",
            DEFAULT.read_text()[: DEFAULT.read_text().index("residual: true")].count("\n") + 1,
            "unknown key 'methods.a.residual'",
        ),
    ],
)  # fmt: skip
def test_errors_are_one_line_that_names_the_place(tmp_path, text, line, message):
    top = write(tmp_path / "top.yaml", text)
    with pytest.raises(ReposeError) as caught:
        load_files(DEFAULT, top)
    said = str(caught.value)
    assert "\n" not in said and re.search(message, said), said
    assert said.startswith((f"{top}:{line}: ", f"{DEFAULT}:{line}: ")), said


def test_jobs_read_every_setting_spelled_out(tmp_path):
    config = load_files(DEFAULT, write(tmp_path / "top.yaml", TOP))
    path = resolve(config, tmp_path)
    assert "like:" not in path.read_text() and load_files(path) == config
