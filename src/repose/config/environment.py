"""Environment variables that the workflow passes to its jobs."""

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
    """Tell jobs the path of the `repose` command and the configuration of their run.

    Jobs read a copy of the configuration that is named by its content. So edits during a run do not affect its jobs, on
    this machine or on other nodes, where the variable is already set.
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
    # `.venv/bin/snakemake` needs no activated environment, and conda puts its own in front.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])


def _hand_down_elsewhere(config: Config) -> None:
    """Pass on a config for a dry run on read-only results, whose plan needs one; a job would fail in one line."""
    folder = tempfile.TemporaryDirectory(prefix="repose-")
    atexit.register(folder.cleanup)
    os.environ["REPOSE_CONFIG"] = str(resolve(config, Path(folder.name)))


def hand_down_forced(dag: Any) -> None:
    """Tell jobs the rules and files that Snakemake's options `--forcerun`, `--force` and `--forceall` name.

    Args:
        dag: Snakemake's `workflow.dag_settings`, which it does not have yet while it reads the rules.
    """
    forced = ["*"] if dag.forceall or dag.forcetargets else sorted(map(str, dag.forcerun))
    os.environ[FORCED] = json.dumps(forced)


def _note_scheduler(results: Path) -> None:
    """Tell jobs their scheduler, and hold a lock while it lives; `repose recover` needs both."""
    me = Process.current()
    run = json.dumps(asdict(me))
    if os.environ.get("REPOSE_RUN") == run:  # this process has read the workflow before, and holds the lock
        return
    os.environ["REPOSE_RUN"] = run
    atexit.register(Owner(owners(results) / f"run:{me.host}:{me.pid}", "this run").release)
