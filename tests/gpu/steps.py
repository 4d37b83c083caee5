"""One training step, and some predictions, of methods of a finished run: on the CPU, and on a pretended GPU.

`python steps.py GUARD RESULTS OUT METHOD … -- METHOD …` writes by method and precision the loss and the gradients'
distance from the CPU's, what a GPU would refuse and what a host would wait for; of the methods after `--` the distance
of their predictions, and what would be refused.
"""

import json
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import pretended

pretended.load(Path(sys.argv[1]))  # before torch

import torch  # noqa: E402

# Predictions ask for it as they are imported; it keeps operations from the device.
torch.inference_mode = pretended.no_inference  # type: ignore

import pandas as pd  # noqa: E402
import zarr  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from repose.bench.loader import sphere  # noqa: E402
from repose.bench.steps import step, trainings  # noqa: E402
from repose.config.load import load_files  # noqa: E402
from repose.gih import intrinsic, regional, torch_backend  # noqa: E402
from repose.plan import Plan  # noqa: E402
from repose.predict import images, meshes, poses  # noqa: E402
from repose.predict.network import load_network  # noqa: E402
from repose.results import Results  # noqa: E402

CPU, GPU = torch.device("cpu"), torch.device("cuda")
ROWS = 2  # of each list that are predicted


def plainly(function: Any, *args: Any, use_reentrant: bool = False) -> Any:
    """Checkpointing asks a device for the state of its generator."""
    return function(*args)


def look(settings: Any, need: Any) -> dict[str, Any]:
    """What a step comes to on both, the GPU's in two precisions."""
    loss, gradient = step(settings, need, CPU)
    found: dict[str, Any] = {"loss": loss}
    for precision in ("fp32", "bf16"):
        with pretended.device() as seen:
            try:
                other_loss, other = step(settings, need, GPU, precision == "bf16")
                apart = float((other - gradient).norm() / gradient.norm())
                # The step of the bench reads the loss and all gradients when it is done.
                waits = {place: n for place, n in seen.waits.items() if "/bench/steps.py" not in place}
                counts = {"refused": dict(seen.refused), "waits": waits}
                found[precision] = {"loss": other_loss, "apart": apart, **counts}
            except Exception:
                found[precision] = {"fails": traceback.format_exc()[-1500:]}
    return found


def predictions(plan: Plan, name: str) -> dict[str, Any]:
    """The first predictions of a trained method on both, how far they are apart, and what a GPU would refuse."""
    settings = plan.config.settings_of(name)
    need = plan.predict("open-fashion" if settings.medium == "images" else "open-human", name, 0)
    others = {"store", "run"}
    splits = {part: pd.read_parquet(path) for part, path in need.inputs.items() if part not in others}
    if settings.medium != "poses":
        splits = {part: rows.iloc[:ROWS] for part, rows in splits.items()}
    medium = {"meshes": meshes, "images": images, "poses": poses}[settings.medium]

    def made(device: str, out: Path) -> torch.Tensor:
        network = load_network(settings, need.inputs["run"]).to(device)
        medium.predict(settings, network, need.inputs["store"], splits, device, out, name)
        groups = sorted(zarr.open_group(out).groups())
        arrays = [
            array for _, group in groups for _, array in sorted(group.arrays())
        ]  # listed as they lie on disk
        return torch.cat([torch.from_numpy(array[:]).double().flatten() for array in arrays])

    with tempfile.TemporaryDirectory() as folder:
        here = made("cpu", Path(folder, "cpu.zarr"))
        with pretended.device() as seen:
            there = made("cuda", Path(folder, "cuda.zarr"))
    return {"apart": float((here - there).abs().max() / here.abs().max()), "refused": dict(seen.refused)}


def distances() -> dict[str, Any]:
    """Geodesics in heat of a sphere on both."""
    operators = intrinsic.build(*intrinsic.check_mesh(*sphere(10, 12)))
    here = torch_backend.all_pairs(operators, device="cpu")
    with pretended.device() as seen:
        there = torch_backend.all_pairs(operators, device="cuda")
    return {"apart": float(abs(here - there).max() / here.max()), "refused": dict(seen.refused)}


def torch_alone() -> list[str]:
    """What the device refuses of torch's own operations, which this project once used."""
    image = torch.zeros(1, 2, 8, 8)
    with pretended.device() as seen:
        there = image.cuda().requires_grad_()
        F.pad(there, (3, 3, 3, 3), mode="reflect").sum().backward()
        F.grid_sample(there, torch.zeros(1, 4, 4, 2).cuda(), align_corners=True).sum().backward()
        F.cross_entropy(there, torch.zeros(1, 8, 8).long().cuda())
        there.detach().median(dim=-1)
    return sorted(name.split()[0] for name in seen.refused)


def main() -> None:
    """See the module."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    regional.checkpoint = plainly  # type: ignore[assignment]
    there = trainings(Path(sys.argv[2]))
    split = sys.argv.index("--")
    found = {name: look(*there[name]) for name in sys.argv[4:split]}
    root = Path(sys.argv[2])
    plan = Plan(load_files(sorted((root / ".config").glob("*.yaml"))[-1]), Results(root))
    predicted = {name: predictions(plan, name) for name in sys.argv[split + 1 :]}
    result = {"torch": torch_alone(), "methods": found, "predictions": predicted | {"gih": distances()}}
    Path(sys.argv[3]).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
