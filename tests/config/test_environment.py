import errno
import os
from pathlib import Path

from repose.config.environment import hand_down
from repose.config.load import load_files

ROOT = Path(__file__).parents[2]


def test_jobs_on_other_nodes_keep_the_configuration_of_their_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/bin")
    for name in ("REPOSE_CONFIG", "REPOSE_RUN"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    folder = tmp_path / "results" / ".config"
    first = load_files(ROOT / "config.yaml")
    hand_down(first, folder, is_main_process=True)
    handed = os.environ["REPOSE_CONFIG"]
    edited = load_files(ROOT / "config.yaml", ROOT / "workflow" / "presets" / "smoke.yaml")
    hand_down(edited, folder, is_main_process=False)
    assert os.environ["REPOSE_CONFIG"] == handed and load_files(Path(handed)) == first
    hand_down(edited, folder, is_main_process=True)
    assert load_files(Path(os.environ["REPOSE_CONFIG"])) == edited


def test_a_dry_run_on_results_that_may_only_be_read_has_its_config_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("REPOSE_CONFIG", "")

    def refused(*arguments):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("repose.config.environment.mark", refused)
    config = load_files(ROOT / "config.yaml")
    hand_down(config, tmp_path / "results" / ".config", is_main_process=True)
    handed = Path(os.environ["REPOSE_CONFIG"])
    assert load_files(handed) == config and not handed.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []
