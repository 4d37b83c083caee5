"""One training step of each method of a finished run: on the CPU, and on a pretended GPU.

`python steps.py GUARD PROJECT OUT` writes by method and precision the loss and the gradients' distance from the CPU's,
and what a GPU would refuse.
"""

import json
import sys
import traceback
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pretended

pretended.load(Path(sys.argv[1]))  # before torch

import pandas as pd  # noqa: E402
import torch  # noqa: E402
from lightning.fabric.utilities.apply_func import move_data_to_device  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from repose.config.load import load_files  # noqa: E402
from repose.gih import regional  # noqa: E402
from repose.methods.build import build, recipe_for, recipe_of  # noqa: E402
from repose.plan import Need, Plan  # noqa: E402
from repose.results import Results  # noqa: E402

ITERATION = 4
# So that what starts later in a training takes part in that iteration.
SOONER = {"iepgan": {"swap_from": 1, "intrinsic_from": 2, "r1_every": 2}}


def needs(project: Path) -> dict[str, tuple[Any, Need]]:
    """Settings and inputs of one training of each method for which a project has what it reads."""
    results = Results(project / "results")
    config = load_files(next((results.root / ".config").glob("*.yaml")))
    plan, found = Plan(config, results), {}
    for name, settings in config.methods.items():
        if not settings.learned or config.trained_by(name) != name:
            continue
        need = plan.train("open-fashion" if settings.medium == "images" else "open-human", name, 0)
        if all(path.exists() for path in need.inputs.values()):
            sooner = settings.training.model_copy(update=SOONER.get(name, {}))
            found[name] = settings.model_copy(update={"training": sooner}), need
    return found


def step(settings: Any, need: Need, device: str, precision: str) -> tuple[float, torch.Tensor]:
    """Loss, and all gradients one after another, of an iteration in the middle of a training."""
    others = {name: path for name, path in need.inputs.items() if name not in ("store", "split")}
    store, splits = recipe_of(settings).open(need.inputs["store"]), pd.read_parquet(need.inputs["split"])
    torch.manual_seed(0)
    task = recipe_for(settings, build(settings), store, splits, 0, others)
    progress = SimpleNamespace(total=SimpleNamespace(ready=ITERATION))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    task.trainer = SimpleNamespace(global_rank=0, world_size=1, fit_loop=loop)
    task.log = lambda *args, **named: None
    batch = move_data_to_device(next(iter(task.batches(ITERATION, ITERATION + 1))), torch.device(device))
    task = task.to(device)
    torch.manual_seed(0)  # of dropout
    found = task.configure_optimizers()
    optimizers, rates = ([found["optimizer"]], []) if task.automatic_optimization else found
    seen: list[torch.Tensor] = []
    if not task.automatic_optimization:
        task.optimizers = lambda: optimizers if len(optimizers) > 1 else optimizers[0]
        task.lr_schedulers = lambda: rates if len(rates) > 1 else rates[0]
        task.manual_backward = lambda loss: loss.backward()
    with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
        out = task.training_step(batch, 0)
    loss = out["loss"] if isinstance(out, dict) else out
    if task.automatic_optimization:
        loss.backward()
        optimizers[0].step()
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        seen += [p.grad.detach().cpu().double().flatten() for p in group["params"] if p.grad is not None]
    return float(loss.detach()), torch.cat(seen)


def plainly(function: Any, *args: Any, use_reentrant: bool = False) -> Any:
    """Checkpointing asks a device for the state of its generator."""
    return function(*args)


def look(settings: Any, need: Need) -> dict[str, Any]:
    """What a step comes to on both, the GPU's in two precisions."""
    loss, gradient = step(settings, need, "cpu", "fp32")
    found: dict[str, Any] = {"loss": loss}
    for precision in ("fp32", "bf16"):
        with pretended.device() as refused:
            try:
                other_loss, other = step(settings, need, "cuda", precision)
                apart = float((other - gradient).norm() / gradient.norm())
                found[precision] = {"loss": other_loss, "apart": apart, "refused": dict(refused)}
            except Exception:
                found[precision] = {"fails": traceback.format_exc()[-1500:]}
    return found


def torch_alone() -> list[str]:
    """What the device refuses of torch's own operations, which this project once used."""
    image = torch.zeros(1, 2, 8, 8)
    with pretended.device() as refused:
        there = image.cuda().requires_grad_()
        F.pad(there, (3, 3, 3, 3), mode="reflect").sum().backward()
        F.grid_sample(there, torch.zeros(1, 4, 4, 2).cuda(), align_corners=True).sum().backward()
        F.cross_entropy(there, torch.zeros(1, 8, 8).long().cuda())
        there.detach().median(dim=-1)
    return sorted(name.split()[0] for name in refused)


def main() -> None:
    """See the module."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    regional.checkpoint = plainly  # type: ignore[assignment]
    found: dict[str, dict[str, Any]] = {}
    for name, (settings, need) in needs(Path(sys.argv[2])).items():
        found[name] = look(settings, need)
    Path(sys.argv[3]).write_text(json.dumps({"torch": torch_alone(), "methods": found}, indent=1))


if __name__ == "__main__":
    main()
