"""What the workflow hands down to its jobs through environment variables."""

import atexit
import errno
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from repose.config.load import resolve
from repose.config.models import Config
from repose.provenance.cache import FORCED
from repose.provenance.owner import Owner, mark, owners
from repose.provenance.process import Process


def hand_down(config: Config, folder: Path, is_main_process: bool) -> None:
    """Let jobs find the `repose` command and the configuration of the run they belong to.

    Jobs read a copy of the configuration named by its content: what is edited while a run goes on cannot reach its
    jobs, on this machine or on other nodes, where the variable is set already.
    """
    try:
        if is_main_process:
            mark(folder.parent)
        if is_main_process or "REPOSE_CONFIG" not in os.environ:
            os.environ["REPOSE_CONFIG"] = str(resolve(config, folder.absolute()))
        if is_main_process:
            _note_scheduler(folder.parent)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        _hand_down_elsewhere(config)
    # `.venv/bin/snakemake` needs no activated environment; conda puts its own in front.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])


def _hand_down_elsewhere(config: Config) -> None:
    """Of results that may only be read, for a dry run, whose plan needs a config; a job would end in one line."""
    folder = tempfile.TemporaryDirectory(prefix="repose-")
    atexit.register(folder.cleanup)
    os.environ["REPOSE_CONFIG"] = str(resolve(config, Path(folder.name)))


def hand_down_forced(dag: Any) -> None:
    """Let jobs know what Snakemake's options `--forcerun`, `--force` and `--forceall` name: rules and files.

    Args:
        dag: Snakemake's `workflow.dag_settings`, which it does not have yet while it reads the rules.
    """
    forced = ["*"] if dag.forceall or dag.forcetargets else sorted(map(str, dag.forcerun))
    os.environ[FORCED] = json.dumps(forced)


def _note_scheduler(results: Path) -> None:
    """Tell jobs whose they are, and hold a lock for as long as this scheduler lives: `repose recover` asks for both."""
    me = Process.current()
    run = json.dumps(asdict(me))
    if os.environ.get("REPOSE_RUN") == run:  # this process has read the workflow before, and holds the lock
        return
    os.environ["REPOSE_RUN"] = run
    atexit.register(Owner(owners(results) / f"run:{me.host}:{me.pid}", "this run").release)
