"""The proof of a GPU, tried on the CPU at small sizes: every stage runs, and a difference is a failure."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from repose.bench import corenet, gpu
from repose.errors import ReposeError


@pytest.fixture
def out(smoke, tmp_path):
    """A folder with the bodies of the smoke run, so that Anny is not read once more."""
    bodies = smoke.folder / "results/data/open-human/raw.npz"
    (tmp_path / "bodies.npz").write_bytes(bodies.read_bytes())
    return tmp_path


def test_every_stage_is_written_down(smoke, out, monkeypatch):
    monkeypatch.setattr(corenet, "_peak", lambda *arguments: 1.0)  # a process of its own for each side
    found = gpu.run("cpu", smoke.folder / "results", out, 0.5, tiny=True)
    assert found == json.loads((out / "proof.json").read_text())
    assert all(rate > 0 for rate in found["machine"]["tflops"].values())
    assert found["agreement"]["methods"]["npt"] == {"loss": 0, "gradient": 0, "repeats": True}
    assert found["resume"] == {
        "killed": True,
        "same": True,
        "fails": [],
        "seconds": found["resume"]["seconds"],
    }
    (distances,) = found["distances"]["vertices"].values()
    assert distances["apart"] < 1e-5
    assert found["steps"]["works"]["corenet float32"]["error"] < 1e-3 and found["steps"]["kernels"]
    trainings = found["trainings"]
    assert trainings["baselines"].keys() == {"copy-pose", "copy-identity"}
    for name in ("corenet", "npt"):
        assert trainings[name]["pmd_m2"] > 0 and len(trainings[name]["curve"]["step"]) > 1
        assert np.load(out / f"{name}.npy").shape[1:] == (400, 3)
        weights = load_file(out / f"{name}-0.safetensors")
        assert {value.dtype for value in weights.values()} <= {np.dtype("f2"), np.dtype("i8")}


def test_a_difference_fails_and_the_next_stages_run(smoke, out, monkeypatch):
    def differ(settings, need, device, bf16=False):
        return 1.0, torch.rand(3, dtype=torch.float64)

    monkeypatch.setattr(gpu, "step", differ)
    monkeypatch.setattr(gpu, "resume", lambda proof: 1 / 0)
    for stage in ("distances", "full_size_steps"):
        monkeypatch.setattr(gpu, stage, lambda proof: {"ran": True})
    monkeypatch.setattr(gpu, "train_full_size", lambda *arguments: {})
    with pytest.raises(ReposeError, match=r"3 checks fail, the first: agreement: npt: .*'repeats': False"):
        gpu.run("cpu", smoke.folder / "results", out, 0.5, tiny=True)
    found = json.loads((out / "proof.json").read_text())
    assert found["resume"]["fails"] == ["ZeroDivisionError: division by zero"]
    assert found["distances"]["ran"]


def test_a_gpu_that_is_not_there_is_one_line(tmp_path, out, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ReposeError, match="no GPU here"):
        gpu.run("cuda", tmp_path, out, 1, tiny=True)
    assert gpu.run("cuda", tmp_path, out, 0, tiny=True) == {}, "bodies can be prepared without one"
