"""Settings of methods that make up poses, and of tables that hold them."""

from pathlib import Path

import pytest

from repose.config.load import load_files
from repose.errors import ReposeError

DEFAULT = Path(__file__).parents[2] / "config.yaml"


def loaded(tmp_path, text):
    (tmp_path / "top.yaml").write_text(text)
    return load_files(DEFAULT, tmp_path / "top.yaml")


def test_a_method_is_tried_on_the_lists_of_its_tables():
    config = load_files(DEFAULT)
    assert config.kind_of("table4") == "poses" and config.kind_of("table1") == "meshes"
    assert config.tests_of("open-human", "npt") == ["unseen", "seen-pose"]
    assert config.tests_of("open-human", "npr") == ["unseen", "seen-pose", "one-source"]
    assert config.tests_of("open-animal", "npr") == ["unseen", "seen-pose"]
    assert config.tests_of("open-human", "npr-diffusion") == ["train", "unseen"]
    assert config.protocols_of("open-human", "table1") == ["unseen", "seen-pose"]
    assert config.protocols_of("open-human", "table4") == ["one-source"]


def test_the_diffusion_stands_on_a_method_of_the_same_settings(tmp_path):
    methods = load_files(DEFAULT).methods
    assert methods["npr-diffusion"].starts_from == {"poses_of": "npr"}
    for text, says in (
        ("methods: {npr: {width: 32}}", "'npr' has another width.*give both"),
        ("methods: {npr: {training: {source: 1}}}", r"'npr' has another training\.source"),
        (
            "methods: {npr-diffusion: {training: {poses_of: npr-refined}}}",
            "'npr-refined' has no poses_of of its own",
        ),
        ("methods: {npr-diffusion: {training: {poses_of: npt}}}", "'npt' has no poses_of of its own"),
        (
            "methods: {npr-diffusion: {training: {poses_of: rest-pse}}}",
            "'rest-pse' is not defined.*'rest-pose'",
        ),
    ):
        with pytest.raises(ReposeError, match=says):
            loaded(tmp_path, text)


def test_made_up_poses_and_images_are_not_compared(tmp_path):
    with pytest.raises(ReposeError, match=r"tables.table4.methods: 'flow' is of images"):
        loaded(tmp_path, "tables: {table4: {methods: [npr-diffusion, flow]}}")
    with pytest.raises(ReposeError, match=r"tables.table4.datasets: 'open-market' is of images"):
        loaded(tmp_path, "tables: {table4: {datasets: [open-market]}}")
