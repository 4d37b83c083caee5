"""One training step of methods of a finished run: on the CPU, and on a pretended GPU.

`python steps.py GUARD RESULTS OUT METHOD …` writes by method and precision the loss and the gradients' distance from
the CPU's, and what a GPU would refuse.
"""

import json
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import pretended

pretended.load(Path(sys.argv[1]))  # before torch

import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from repose.bench.steps import step, trainings  # noqa: E402
from repose.gih import regional  # noqa: E402

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def plainly(function: Any, *args: Any, use_reentrant: bool = False) -> Any:
    """Checkpointing asks a device for the state of its generator."""
    return function(*args)


def look(settings: Any, need: Any) -> dict[str, Any]:
    """What a step comes to on both, the GPU's in two precisions."""
    loss, gradient = step(settings, need, CPU)
    found: dict[str, Any] = {"loss": loss}
    for precision in ("fp32", "bf16"):
        with pretended.device() as refused:
            try:
                other_loss, other = step(settings, need, GPU, precision == "bf16")
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
    there = trainings(Path(sys.argv[2]))
    found = {name: look(*there[name]) for name in sys.argv[4:]}
    Path(sys.argv[3]).write_text(json.dumps({"torch": torch_alone(), "methods": found}, indent=1))


if __name__ == "__main__":
    main()
