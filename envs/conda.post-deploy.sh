#!/usr/bin/env bash
# Snakemake runs this in the project's folder, inside the new environment. Editable, so that edits count as elsewhere.
set -euo pipefail
python -m pip install --quiet --no-deps --no-build-isolation --editable .
