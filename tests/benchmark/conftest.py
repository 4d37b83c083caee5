"""A project whose lists are made, and a folder that is accepted."""

import shutil
from pathlib import Path

import pytest
from benchmark.project import Site, make, predict


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Site:
    """Tests leave it as they found it."""
    return make(tmp_path_factory.mktemp("benchmark") / "project")


@pytest.fixture
def site(made, tmp_path) -> Site:
    """A copy that a test may change."""
    return Site(shutil.copytree(made.folder, tmp_path / "project"))


@pytest.fixture
def submission(site, tmp_path) -> Path:
    """A folder that is accepted, of track P."""
    said = site.repose("submit", "init", "tiny/unseen", "--track", "P", "--out", tmp_path / "mine")
    assert said.exit_code == 0, said.output
    return predict(site, tmp_path / "mine" / "submission")


@pytest.fixture(scope="session")
def scored_once(made, tmp_path_factory) -> Site:
    """A project in which that folder is scored."""
    folder = tmp_path_factory.mktemp("scored")
    site = Site(shutil.copytree(made.folder, folder / "project"))
    site.repose("submit", "init", "tiny/unseen", "--track", "P", "--out", folder / "mine")
    said = site.repose("submit", "score", predict(site, folder / "mine" / "submission"))
    assert said.exit_code == 0, said.exception
    return site


@pytest.fixture
def scored(scored_once, tmp_path) -> Site:
    """A copy of it."""
    return Site(shutil.copytree(scored_once.folder, tmp_path / "scored"))
