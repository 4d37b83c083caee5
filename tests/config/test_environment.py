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
