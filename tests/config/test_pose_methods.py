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
    assert config.medium_of("table4") == "poses" and config.medium_of("table1") == "meshes"
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
        ("methods: {npr-diffusion: {npr: {width: 32}}}", "'npr' has another width.*give both"),
        ("methods: {npr-diffusion: {training: {source: 1}}}", r"'npr' has another training\.source"),
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


def test_generated_poses_and_images_are_not_compared(tmp_path):
    with pytest.raises(ReposeError, match=r"tables.table4.methods: 'flow' is of images"):
        loaded(tmp_path, "tables: {table4: {methods: [npr-diffusion, flow]}}")
    with pytest.raises(ReposeError, match=r"tables.table4.datasets: 'open-market' is of images"):
        loaded(tmp_path, "tables: {table4: {datasets: [open-market]}}")


def test_a_scorer_of_renders_judges_the_methods_of_its_table(tmp_path):
    config = load_files(DEFAULT)
    assert all(
        config.has_render_scores("table4", "open-human", name) for name in config.tables["table4"].methods
    )
    assert not any(
        config.has_render_scores("table1", "open-human", name) for name in config.tables["table1"].methods
    )
    assert config.rendered_tests_of("open-human", "npr") == ["one-source"]
    assert config.rendered_tests_of("open-human", "npr-diffusion") == ["train", "unseen"]
    assert config.scorer_of("open-human") is None and config.scorer_of("open-market") == "image-scorer"
    other = loaded(tmp_path, "tables: {table4: {protocols: [unseen]}}")
    assert not other.has_render_scores("table4", "open-human", "npr"), "nobody judges transfers of that list"
    assert other.has_render_scores("table4", "open-human", "rest-pose")
    for text, says in (
        ("tables: {table4: {scorer: npr}}", "table4.scorer: 'npr' scores no renders .*: render-scorer"),
        ("tables: {table4: {scorer: rendr}}", "table4.scorer: 'rendr' is not defined.*'render-scorer'"),
        ("tables: {table1: {scorer: render-scorer}}", "table1.scorer: only a table with generated poses"),
    ):
        with pytest.raises(ReposeError, match=says):
            loaded(tmp_path, text)
    with pytest.raises(ReposeError, match="table4 and other have other scorers"):
        loaded(
            tmp_path,
            "methods: {second: {architecture: render-scorer, training: {steps: 1}}}\n"
            "tables: {other: {datasets: [open-human], methods: [rest-pose], scorer: second}}\n",
        )
