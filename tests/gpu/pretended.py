"""A CUDA device that is not there: tensors that say they are on it and hold their numbers on the CPU.

Code that asks takes the branches of a GPU, autocast casts what it casts there, and an operation on tensors of two
devices fails. The numbers are a CPU's, so what comes out must equal what the CPU makes of the same step.
"""

import ctypes
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch


def compile_guard(out: Path) -> None:
    """What a CPU build of PyTorch lacks, as a library; raises CalledProcessError where it cannot be compiled."""
    found = find_spec("torch")
    assert found and found.submodule_search_locations
    torch = found.submodule_search_locations[0]
    links = (f"-L{torch}/lib", "-lc10", "-ltorch_cpu", f"-Wl,-rpath,{torch}/lib")
    command = ["c++", "-shared", "-fPIC", "-O0", "-std=c++20", f"-I{torch}/include"]
    source = str(Path(__file__).with_name("guard.cpp"))
    subprocess.run([*command, source, "-o", str(out), *links], check=True, capture_output=True)


def run(script: Path, guard: Path, *words: object) -> None:
    """Run a script that loads the library, in a process of its own."""
    command = [sys.executable, *map(str, (script, guard, *words))]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def load(guard: Path) -> None:
    """Load the library, before anything imports torch."""
    ctypes.CDLL(str(guard))


def always(args: tuple, named: dict) -> bool:
    return True


def along_a_dimension(args: tuple, named: dict) -> bool:
    return len(args) > 1 or "dim" in named


# What raises under `torch.use_deterministic_algorithms(True)` on CUDA, by the documentation of that function in torch
# 2.13, with the condition on its arguments.
REFUSED: dict[str, Callable[[tuple, dict], bool]] = dict.fromkeys(
    (
        *(f"reflection_pad{n}d_backward" for n in (1, 2, 3)),
        *(f"replication_pad{n}d_backward" for n in (1, 2, 3)),
        *("upsample_linear1d_backward", "upsample_bilinear2d_backward", "upsample_bicubic2d_backward"),
        *("upsample_trilinear3d_backward", "grid_sampler_2d_backward", "grid_sampler_3d_backward"),
        *("adaptive_max_pool2d_backward", "_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward"),
        *("avg_pool3d_backward", "max_pool3d_with_indices_backward", "fractional_max_pool2d_backward"),
        *(
            "max_unpool2d",
            "max_unpool3d",
            "_ctc_loss_backward",
            "_embedding_bag_backward",
            "kthvalue",
            "put_",
        ),
    ),
    always,
) | {
    "nll_loss2d_forward": lambda args, named: (args[3] if len(args) > 3 else named.get("reduction", 1)) != 0,
    "bincount": lambda args, named: (args[1] if len(args) > 1 else named.get("weights")) is not None,
    "histc": lambda args, named: args[0].is_floating_point(),
    "cumsum": lambda args, named: args[0].is_floating_point(),
    "median": along_a_dimension,
    "nanmedian": along_a_dimension,
}
# What the host waits for on CUDA, beside tensors that travel to it: the size of a result, or whether it is one.
WAITING: dict[str, Callable[[tuple, dict], bool]] = dict.fromkeys(
    (
        *("_local_scalar_dense", "nonzero", "bincount", "_unique2", "unique_dim", "unique_consecutive"),
        *("masked_select", "equal", "_linalg_check_errors"),
    ),
    always,
) | {
    "linalg_cholesky_ex": lambda args, named: named.get("check_errors", False),
    "_linalg_solve_ex": lambda args, named: named.get("check_errors", False),
    "linalg_inv_ex": lambda args, named: named.get("check_errors", False),
    "index": lambda args, named: any(x is not None and x.dtype.itemsize == 1 for x in args[1]),
    "index_put_": lambda args, named: any(x is not None and x.dtype.itemsize == 1 for x in args[1]),
    "repeat_interleave": lambda args, named: named.get("output_size") is None,
}
# Operations that take tensors of the host beside those of the device.
CROSSING = {
    *("_to_copy", "copy_", "set_", "lift_fresh", "index", "_unsafe_index"),
    *("index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put"),
}


def no_inference(mode: bool = True) -> Any:
    """In the place of `torch.inference_mode`, whose tensors the device cannot hold."""
    import torch

    return torch.no_grad() if mode else nullcontext()


@contextmanager
def device() -> Iterator[Any]:
    """The device, with deterministic operations asked for.

    Gives what has two counts of operations that were run, with their places: `refused`, and `waits`.
    """
    import torch
    from torch.nn import functional

    made = torch.tensor

    def tensor(data: Any, *, device: Any = None, **named: Any) -> Any:
        """`torch.tensor` makes its tensor before any mode is asked."""
        out = made(data, **named)
        return out if device is None else out.to(device)

    def attention(q: Any, k: Any, v: Any, *args: Any, **named: Any) -> Any:
        """The plain form, with no mask and no dropout; kernels that fuse it read the memory."""
        return (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1) @ v

    replaced = (
        (torch.cuda, "_lazy_init", lambda: None),
        (torch.cuda, "is_available", lambda: True),
        (torch.cuda, "is_bf16_supported", lambda *a, **k: True),
        (torch.cuda, "current_device", lambda: 0),
        (torch.cuda, "device_count", lambda: 1),
        (torch.cuda, "get_rng_state", lambda *a: torch.get_rng_state()),
        (torch.cuda, "set_rng_state", lambda *a, **k: None),
        (torch.cuda, "mem_get_info", lambda *a: (1 << 30, 1 << 30)),
        (torch.cuda, "memory_reserved", lambda *a: 0),
        (torch.cuda, "memory_allocated", lambda *a: 0),
        (torch, "tensor", tensor),
        (torch, "inference_mode", no_inference),
        (functional, "scaled_dot_product_attention", attention),
    )
    with ExitStack() as stack:
        for where, name, value in replaced:
            stack.enter_context(patch.object(where, name, value))
        mode = stack.enter_context(_mode()())
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield mode
        finally:
            torch.use_deterministic_algorithms(False)


def _mode() -> type:
    """The class that runs operations of pretended tensors on the CPU; made late, as it imports torch."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

    class Pretended(torch.Tensor):
        @staticmethod
        def __new__(cls, held: torch.Tensor) -> "Pretended":
            form = {"dtype": held.dtype, "layout": held.layout, "device": torch.device("cuda", 0)}
            strides = {"strides": held.stride(), "storage_offset": held.storage_offset()}
            return torch.Tensor._make_wrapper_subclass(cls, held.size(), **strides, **form)

        def __init__(self, held: torch.Tensor):
            self.held = held

        __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore

        def tolist(self) -> Any:
            return self.cpu().tolist()

        @classmethod
        def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            raise AssertionError(f"{func} outside of the pretended device")

    def wrap(out: Any) -> Any:
        """What an operation gives, on the device."""
        if isinstance(out, torch.Tensor):
            return Pretended(out if out.layout == torch.strided else out.to_dense())
        return type(out)(map(wrap, out)) if isinstance(out, list | tuple) else out

    def held(value: Any) -> Any:
        """An argument of an operation, on the CPU. Arguments nest in lists alone; torch's own walk takes longer."""
        if isinstance(value, Pretended):
            return value.held
        return type(value)(map(held, value)) if isinstance(value, list | tuple) else value

    class Mode(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.refused: Counter[str] = Counter()
            self.waits: Counter[str] = Counter()

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            named, name = dict(kwargs or {}), func._schema.name.split("::")[1]
            tensors = [x for x in _flat((*args, *named.values())) if isinstance(x, torch.Tensor)]
            there = any(isinstance(x, Pretended) for x in tensors)
            wanted = torch.device(named["device"]) if named.get("device") is not None else None
            if not there and (wanted is None or wanted.type != "cuda"):
                return func(*args, **named)
            here = any(not isinstance(x, Pretended) and x.ndim for x in tensors)
            if there and here and name not in CROSSING:
                raise RuntimeError(f"{name} of tensors on two devices")
            if name in REFUSED and REFUSED[name](args, named):
                self.refused[f"{name} at {_place()}"] += 1
            if there and name in WAITING and WAITING[name](args, named):
                self.waits[f"{name} at {_place()}"] += 1
            plain_args, plain = map(held, args), {key: held(value) for key, value in named.items()}
            if wanted is not None:
                plain["device"] = torch.device("cpu")
            out = func(*plain_args, **plain)
            if wanted is not None and wanted.type == "cpu":
                self.waits[f"{name} at {_place()}"] += 1
                return out
            if name == "copy_" and not isinstance(args[0], Pretended):
                self.waits[f"{name} at {_place()}"] += 1
                return args[0]
            out = wrap(out)
            return return_and_correct_aliasing(func, args, named, out) if there else out

    return Mode


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """Values, and those in lists among them."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def _place() -> str:
    """The innermost line of repose that runs; one that goes backward, through some node, is of its training step."""
    import traceback

    lines = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_stack()]
    return next((line for line in reversed(lines) if "/src/repose/" in line), "a line outside of repose")
