#!/usr/bin/env bash
# Pin every package but torch, with hashes, for every platform and Python ≥ 3.11.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet uv
compile() {
  "$tools/venv/bin/uv" pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header --quiet "$@"
}
# The CUDA libraries belong to torch's build, and are left to it.
compile --no-emit-package torch -o "$tools/all.txt"
mapfile -t gpu < <(grep -oE '^(nvidia[a-z0-9-]*|triton|cuda-[a-z]+)==' "$tools/all.txt" | sed 's/==//' | sort -u)
compile "${gpu[@]/#/--no-emit-package=}" --no-emit-package torch -o envs/requirements.lock
python3 envs/twin.py
