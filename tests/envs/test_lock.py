"""The lock is exact, made for pyproject.toml as it is, and has a twin for conda."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "envs" / "requirements.lock").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()


@pytest.fixture(scope="module")
def twin():
    spec = importlib.util.spec_from_file_location("twin", ROOT / "envs" / "twin.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_was_made_for_pyproject_as_it_is(twin):
    noted = next(line for line in LOCK.splitlines() if line.startswith(twin.MARK))
    assert noted.removeprefix(twin.MARK) == twin.fingerprint(PYPROJECT), "run `make lock`"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"scipy>=1.15"', '"scipy>=1.16"'),
        ('    "scipy>=1.15",\n', ""),
        ('"ruff>=0.14", ', ""),
        ("3.11", "3.12"),
    ],
)
def test_any_change_of_dependencies_counts_and_nothing_else(twin, old, new):
    assert old in PYPROJECT
    assert twin.fingerprint(PYPROJECT.replace(old, new, 1)) != twin.fingerprint(PYPROJECT)
    assert twin.fingerprint(PYPROJECT + "# a comment\n") == twin.fingerprint(PYPROJECT)


def test_every_dependency_is_pinned_to_a_version_that_is_allowed(twin):
    pinned = [Requirement(pin) for pin in twin.pins(LOCK)]
    project = tomllib.loads(PYPROJECT)["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, wanted):
        if requirement.name == "torch":
            continue  # its build is a matter of the machine
        found = [p for p in pinned if canonicalize_name(p.name) == canonicalize_name(requirement.name)]
        assert found, f"{requirement.name} is not in the lock: run `make lock`"
        for pin in found:
            (exact,) = pin.specifier
            assert exact.operator == "==" and requirement.specifier.contains(exact.version), pin


def test_the_makefile_installs_the_builds_that_the_lock_leaves_out():
    project = tomllib.loads(PYPROJECT)["project"]
    left_out = [d for d in project["dependencies"] if d.startswith("torch==")]
    left_out += project["optional-dependencies"]["images"]
    makefile = (ROOT / "Makefile").read_text()
    assert re.findall(r"\$\(FROM_TORCH_INDEX\) (\S+)", makefile) == left_out


def test_every_pin_has_a_hash():
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.split("\n", 1)[1])
    assert len(blocks) > 100 and all("--hash=sha256:" in block for block in blocks)


def test_the_twin_for_conda_has_the_pins_of_the_lock(twin):
    text = (ROOT / "envs" / "conda.yaml").read_text()
    assert text == twin.conda(LOCK, PYPROJECT), "run `make lock`"
    environment = yaml.safe_load(text)
    python, _, packages = environment["dependencies"]
    assert python == "python =3.11" and environment["channels"] == ["conda-forge", "nodefaults"]
    names = [Requirement(line) for line in packages["pip"]]
    on_311 = default_environment() | {"python_version": "3.11", "python_full_version": "3.11.9"}
    here = [r.name for r in names if not r.marker or r.marker.evaluate(on_311)]
    assert len(here) == len(set(here)) and {"torch", "zarr", "snakemake"} <= set(here)
