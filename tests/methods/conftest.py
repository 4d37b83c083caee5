"""What the tests of several systems share: the bending bodies, and NPR trained on them."""

from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import save_file

from repose.provenance.publish import lock
from repose.split.triples import draw_triples
from repose.store.mesh_store import MeshStore
from tests.trainings import fit
from tests.worms import LEARNING, POSES, THERE, npr_method, worm_store


@pytest.fixture(scope="session")
def worms(tmp_path_factory) -> MeshStore:
    """Every body in every pose."""
    return worm_store(tmp_path_factory.mktemp("worms"))


@pytest.fixture(scope="session")
def worm_splits() -> dict[str, pd.DataFrame]:
    """Poses 0 to 47 to train on, 48 to 53 for validation, the rest for tests; bodies 0 and 1 train."""
    parts = (
        draw_triples(THERE, [0, 1], range(48), 200, "train", 0),
        draw_triples(THERE, [2, 3], range(48, 54), 8, "val", 0),
    )
    unseen = draw_triples(THERE, [2, 3], range(54, POSES), 60, "test-unseen", 0)
    return {"train": pd.concat(parts, ignore_index=True), "unseen": unseen}


@pytest.fixture(scope="session")
def worm_npr(worms, worm_splits, of_all_workers) -> Path:
    """Weights of `npr_method(LEARNING)`, trained once for all workers: it takes 15 seconds."""
    weights = of_all_workers / "worm-npr" / "model.safetensors"
    with lock(of_all_workers / "worm-npr.lock"):
        if not weights.exists():
            weights.parent.mkdir()
            trained = fit(npr_method(LEARNING), worms, worm_splits["train"], weights.parent / "state")
            save_file({name: value.contiguous() for name, value in trained.weights.items()}, weights)
    return weights
