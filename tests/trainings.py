"""Short trainings on the CPU, whole and stopped."""

import pandas as pd
import pytest
import torch

from repose.config.models import Compute
from repose.train.fit import Job, Keeper, train

CPU = Compute(device="cpu")


def fit(method, store, splits, state, seed=0, given=None, compute=CPU):
    """Train on splits, or a file of them."""
    splits = splits if isinstance(splits, pd.DataFrame) else pd.read_parquet(splits)
    return train(Job(method, compute, store, splits, seed, state, "test", given or {}))


def same(a, b):
    """Whether two sets of weights are."""
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


class Stopped(Exception):
    pass


def resumes(fit, folder, monkeypatch, after=3):
    """A training in one piece; one that is stopped after some batches, and run again, must come to the same.

    Args:
        fit: trains with its checkpoints in a folder.
        folder: for the checkpoints.
        after: batches; neither a validation nor before the first.
    """
    whole, keep = fit(folder / "whole"), Keeper.on_train_batch_end

    def stop(self, *arguments, **named):
        keep(self, *arguments, **named)
        if self.task.iteration == after:
            raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Keeper, "on_train_batch_end", stop)
        fit(folder / "parts")
    assert (folder / "parts" / "last.ckpt").exists()
    parts = fit(folder / "parts")
    assert same(parts.weights, whole.weights) and parts.history.equals(whole.history)
    return whole
