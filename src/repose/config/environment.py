"""What the workflow hands down to its jobs through environment variables."""

import os
import sys
from pathlib import Path

from repose.config.load import resolve
from repose.config.models import Config


def hand_down(config: Config, folder: Path, is_main_process: bool) -> None:
    """Let jobs find the `repose` command and the configuration of the run they belong to.

    Jobs read a copy of the configuration named by its content: what is edited while a run goes on cannot reach its
    jobs, on this machine or on other nodes, where the variable is set already.
    """
    if is_main_process or "REPOSE_CONFIG" not in os.environ:
        os.environ["REPOSE_CONFIG"] = str(resolve(config, folder.absolute()))
    # `.venv/bin/snakemake` needs no activated environment; conda puts its own in front.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
