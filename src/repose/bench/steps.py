"""One training step of each method of a finished run, on any device."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import torch
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch import Tensor

from repose.config.load import load_files
from repose.errors import ReposeError
from repose.methods.build import build, recipe_for, recipe_of
from repose.methods.settings import LearnedMethod
from repose.plan import Need, Plan
from repose.results import Results

ITERATION = 4
# So that losses which start later in a training are active in that iteration.
SOONER = {
    "iepgan": {"swap_from": 1, "intrinsic_from": 2, "r1_every": 2},
    "xdualnet": {"arap_from": 1},
}


def trainings(root: Path) -> dict[str, tuple[LearnedMethod, Need]]:
    """Return settings and inputs of one training of each method whose inputs exist in a results folder.

    Raises:
        ReposeError: the folder has no such inputs.
    """
    results = Results(root)
    saved = sorted((root / ".config").glob("*.yaml"))
    if not saved:
        raise ReposeError(
            "no results of a run", root, "make them: snakemake with workflow/presets/smoke.yaml"
        )
    config = load_files(saved[-1])
    plan, found = Plan(config, results), {}
    for name, settings in config.methods.items():
        if not isinstance(settings, LearnedMethod) or config.trained_by(name) != name:
            continue
        need = plan.train("open-fashion" if settings.medium == "images" else "open-human", name, 0)
        if all(path.exists() for path in need.inputs.values()):
            sooner = settings.training.model_copy(update=SOONER.get(name, {}))
            found[name] = settings.model_copy(update={"training": sooner}), need
    return found


def read(settings: LearnedMethod, need: Need) -> tuple[Any, pd.DataFrame, dict[str, Path]]:
    """Return store, split and further inputs of a training."""
    others = {name: path for name, path in need.inputs.items() if name not in ("store", "split")}
    store = recipe_of(settings).open(need.inputs["store"])
    return store, pd.read_parquet(need.inputs["split"]), others


def step(
    settings: LearnedMethod, need: Need, device: torch.device, bf16: bool = False
) -> tuple[float, Tensor]:
    """Run an iteration in the middle of a training, with fresh weights, as Lightning does.

    Returns:
        The loss, and all gradients one after another, as float64 on the CPU.
    """
    store, splits, others = read(settings, need)
    torch.manual_seed(0)
    task = recipe_for(settings, build(settings), store, splits, 0, others)
    progress = SimpleNamespace(total=SimpleNamespace(ready=ITERATION))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    strategy = SimpleNamespace(root_device=device)
    task.trainer = SimpleNamespace(global_rank=0, world_size=1, fit_loop=loop, strategy=strategy)
    task.log = lambda *args, **named: None
    task.setup("fit")
    batch = move_data_to_device(next(iter(task.batches(ITERATION, ITERATION + 1))), device)
    task = task.to(device)
    torch.manual_seed(0)  # seeds dropout
    found = task.configure_optimizers()
    optimizers, rates = ([found["optimizer"]], []) if task.automatic_optimization else found
    if not task.automatic_optimization:
        task.optimizers = lambda: optimizers if len(optimizers) > 1 else optimizers[0]
        task.lr_schedulers = lambda: rates if len(rates) > 1 else rates[0]
        task.manual_backward = lambda loss: loss.backward()
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        out = task.training_step(batch, 0)
    loss = out["loss"] if isinstance(out, dict) else out
    if task.automatic_optimization:
        loss.backward()
        optimizers[0].step()
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    gradients = [p.grad for group in groups for p in group["params"] if p.grad is not None]
    return float(loss.detach()), torch.cat([g.detach().cpu().double().flatten() for g in gradients])
