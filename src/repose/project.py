"""The folder of the workflow, as seen from where a command runs: it is that of the Snakefile, or lies below it."""

import os
from pathlib import Path


def project_above(folder: Path) -> Path | None:
    """Return the nearest folder with the workflow: this one, or the first above it, as of a project in a checkout."""
    for one in (folder, *folder.parents):
        if (one / "Snakefile").is_file() and (one / "workflow" / "rules").is_dir():
            return one
    return None


def making(*targets: object) -> str:
    """Return the command that makes targets in the present folder, for a hint."""
    here = Path.cwd()
    project = project_above(here)
    option = ""
    if project and project != here:
        option = f" --snakefile {os.path.relpath(project / 'Snakefile', here)}"
    return f"snakemake --cores all{option} -- {' '.join(map(str, targets))}"
