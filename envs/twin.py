"""After `make lock`: write envs/conda.yaml from the lock, and note in the lock which dependencies it was made for.

Conda's pip takes no hashes beside packages without one (torch's build, repose itself), and Snakemake copies the file
elsewhere before it makes the environment: so the twin repeats the pins, and conda.post-deploy.sh adds repose.
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path

ENVS = Path(__file__).parent
HEAD = """\
# The locked environment for `snakemake --software-deployment-method conda`. Written by `make lock`.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.11
  - pip
  - pip:
"""
MARK = "# made for the dependencies in pyproject.toml of sha256 "


def pins(lock: str) -> list[str]:
    """Every pinned package with its marker, without hashes."""
    return [line.removesuffix(" \\") for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)]


def conda(lock: str, pyproject: str) -> str:
    """The text of conda.yaml."""
    wanted = tomllib.loads(pyproject)["project"]["dependencies"]
    torch = [d for d in wanted if d.startswith("torch==")]
    return HEAD + "".join(f'      - "{pin}"\n' for pin in torch + pins(lock))


def fingerprint(pyproject: str) -> str:
    """sha256 of all dependencies, whatever their order, and of the Python that is asked for."""
    project = tomllib.loads(pyproject)["project"]
    parts = [project["requires-python"], sorted(project["dependencies"]), project["optional-dependencies"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def main() -> None:
    """Write both."""
    pyproject = (ENVS.parent / "pyproject.toml").read_text(encoding="utf-8")
    path = ENVS / "requirements.lock"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(MARK)]
    lock = "\n".join([MARK + fingerprint(pyproject), *lines]) + "\n"
    path.write_text(lock, encoding="utf-8")
    (ENVS / "conda.yaml").write_text(conda(lock, pyproject), encoding="utf-8")


if __name__ == "__main__":
    main()
