"""The bench `gpu`: a check and a measurement of this project on a GPU, in minutes, with a written record.

The stages are: the speed of the card; whether every method's training step agrees with the CPU's and repeats to the
bit; whether a killed training resumes to the bit; distances; steps at full size against the released computation; and
in the remaining time, trainings at full size, scored with the baselines. The result of each stage is written to
`proof.json` at once, so that it is kept if the machine is taken away.
"""

import json
import multiprocessing
import signal
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from repose.bench import corenet
from repose.bench.full_size import prepare_bodies, train_full_size
from repose.bench.loader import sphere
from repose.bench.steps import read, step, trainings
from repose.config.models import Compute
from repose.device import fixed_order
from repose.errors import ReposeError
from repose.gih import intrinsic, solver, torch_backend
from repose.provenance.publish import publish
from repose.train.fit import Job, train

AGREE = 1e-4
"""How far losses and gradients may be from the CPU's, relative to them."""

PRECISIONS = {"fp32": ("highest", False), "tf32": ("high", True)}


@dataclass(frozen=True)
class Proof:
    """One run of the stages.

    Attributes:
        device: `cuda`, or `cpu` to test the proof itself.
        results: results of a smoke-size run, whose trainings are compared.
        out: folder for the output.
        end: time (of `time.monotonic`) by which everything must be done.
        tiny: small sizes, for a test.
    """

    device: torch.device
    results: Path
    out: Path
    end: float
    tiny: bool


def run(device: str, results: Path, out: Path, minutes: float, tiny: bool) -> dict[str, Any]:
    """Run all stages and write `proof.json`; a failed stage is recorded, and the next one begins.

    With no minutes, only the bodies for the full-size trainings are made, which need Anny and no GPU.

    Raises:
        ReposeError: there is no GPU, or a stage failed or found a difference.
    """
    if minutes and device == "cuda" and not torch.cuda.is_available():
        raise ReposeError("no GPU here", hint="--device cpu --tiny tries the proof itself")
    out.mkdir(parents=True, exist_ok=True)
    bodies = prepare_bodies(out / "bodies.npz", tiny)
    if not minutes:
        return {}
    proof = Proof(torch.device(device), results, out, time.monotonic() + 60 * minutes, tiny)
    found: dict[str, Any] = {}
    stages: dict[str, Callable[[Proof], Mapping[str, Any]]] = {
        "machine": machine,
        "agreement": agreement,
        "resume": resume,
        "distances": distances,
        "steps": full_size_steps,
        "trainings": lambda proof: train_full_size(bodies, proof.out, proof.device, proof.end, proof.tiny),
    }
    for name, stage in stages.items():
        start = time.monotonic()
        print(f"{name}: {proof.end - start:.0f} s left", file=sys.stderr, flush=True)
        torch.use_deterministic_algorithms(False)  # trainings switch them on and leave them on
        try:
            found[name] = dict(stage(proof))
        except Exception as error:
            traceback.print_exc()
            found[name] = {"fails": [f"{type(error).__name__}: {error}"]}
        found[name]["seconds"] = round(time.monotonic() - start, 1)
        with publish(out / "proof.json") as private:
            private.write_text(json.dumps(found, indent=1) + "\n")
    if bad := [f"{name}: {what}" for name, stage in found.items() for what in stage.get("fails", [])]:
        raise ReposeError(f"{len(bad)} checks fail, the first: {bad[0]}", out / "proof.json")
    return found


def machine(proof: Proof) -> dict[str, Any]:
    """Measure the speed of the card: matrix products by precision, and copies."""
    size = 256 if proof.tiny else 8192
    a = torch.randn(size, size, device=proof.device)
    rates = {}
    for name, (products, cudnn) in PRECISIONS.items():
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = cudnn
        rates[name] = 2e-12 * size**3 / _seconds(lambda: a @ a, proof.device)
    torch.set_float32_matmul_precision("highest")
    half = a.bfloat16()
    rates["bf16"] = 2e-12 * size**3 / _seconds(lambda: half @ half, proof.device)
    copied = 2e-9 * 4 * size**2 / _seconds(lambda: a.clone(), proof.device)
    cuda = proof.device.type == "cuda"
    name = torch.cuda.get_device_name() if cuda else "CPU"
    return {"device": name, "torch": torch.__version__, "tflops": rates, "copies_gb_s": copied}


def agreement(proof: Proof) -> dict[str, Any]:
    """Compare loss and gradients of one step of every method with the CPU's, and with a repetition."""
    rows: dict[str, Any] = {}
    fails = []
    with fixed_order():
        for name, (settings, need) in trainings(proof.results).items():
            if proof.tiny and len(rows) == 2:
                break
            try:
                loss, gradient = step(settings, need, torch.device("cpu"))
                (found, there), (_, again) = (step(settings, need, proof.device) for _ in range(2))
            except Exception as error:
                fails.append(f"{name}: {type(error).__name__}: {error}"[:300])
                continue
            apart = float((there - gradient).norm() / gradient.norm())
            off = abs(found - loss) / abs(loss)
            rows[name] = {"loss": off, "gradient": apart, "repeats": torch.equal(there, again)}
            if max(apart, off) > AGREE or not rows[name]["repeats"]:
                fails.append(f"{name}: {rows[name]}")
    return {"methods": rows, "fails": fails}


def resume(proof: Proof) -> dict[str, Any]:
    """Check that a training that is killed and resumed gives the weights of an uninterrupted one."""
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = Path(folder) / "whole", Path(folder) / "parts"
        killed = _killed(proof, parts)
        for state in (whole, parts):
            _train_npt(proof, state)
        same = (whole / "weights").read_bytes() == (parts / "weights").read_bytes()
    fails = [] if same and killed else [f"killed: {killed}, the same weights: {same}"]
    return {"killed": killed, "same": same, "fails": fails}


def _killed(proof: Proof, state: Path) -> bool:
    """Run a training in a separate process, and return whether it could be killed at its first checkpoint."""
    process = multiprocessing.get_context("spawn").Process(target=_train_npt, args=(proof, state))
    process.start()
    while process.is_alive():
        if (state / "last.ckpt").exists():
            process.kill()
        time.sleep(0.05)
    process.join()
    return process.exitcode == -signal.SIGKILL


def _train_npt(proof: Proof, state: Path) -> None:
    """Run some steps of NPT, with a checkpoint every five."""
    settings, need = trainings(proof.results)["npt"]
    longer = {"steps": 60, "validate_every": 5}
    settings = settings.model_copy(update={"training": settings.training.model_copy(update=longer)})
    store, splits, others = read(settings, need)
    compute = Compute(device=proof.device.type)
    trained = train(Job(settings, compute, store, splits, 0, state, state.name, others))
    (state / "weights").write_bytes(save(trained.weights))


def distances(proof: Proof) -> dict[str, Any]:
    """Compare geodesics in heat of a whole mesh on the device with the CPU kernel on one thread."""
    rows = {}
    for rings, sectors in ((8, 10),) if proof.tiny else ((82, 84), (140, 143)):
        vertices, faces = sphere(rings, sectors)
        operators = intrinsic.build(*intrinsic.check_mesh(vertices, faces, "sphere"), "sphere")
        device = str(proof.device)
        torch_backend.all_pairs(operators, device=device)
        start = time.perf_counter()
        found = torch_backend.all_pairs(operators, device=device)
        row = {"seconds": time.perf_counter() - start}
        if len(vertices) < 10_000:
            start = time.perf_counter()
            wanted = solver.all_pairs(vertices, faces)
            row |= {"cpu_seconds": time.perf_counter() - start, "apart": float(abs(found - wanted).max())}
        rows[str(len(vertices))] = row
    fails = [f"{name} vertices: {row}" for name, row in rows.items() if row.get("apart", 0) > 1e-3]
    return {"vertices": rows, "fails": fails}


def full_size_steps(proof: Proof) -> dict[str, Any]:
    """Measure training steps of 3D-CoreNet and MAPConNet: the released computation and ours, by precision."""
    size = (6, 8) if proof.tiny else (82, 84)
    widths = {"width": 8, "refine_width": 16, "residual_blocks": 1} if proof.tiny else {}
    rows = {}
    for precision in ("float32",) if proof.tiny else ("float32", "tf32", "bfloat16"):
        products, cudnn = PRECISIONS["tf32" if precision == "tf32" else "fp32"]
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = cudnn
        for work in corenet.TITLES:
            row = corenet.compare_sides(work, size, 3, widths, proof.device, precision)
            rows[f"{work} {precision}"] = {key: row[key] for key in ("plain", "ours", "ratio", "error")}
    torch.set_float32_matmul_precision("highest")
    return {"works": rows, "kernels": _kernels(proof, size, widths)}


def _kernels(proof: Proof, size: corenet.Size, widths: dict[str, int]) -> dict[str, float]:
    """Return the milliseconds of the ten operations that take most of a step of 3D-CoreNet."""
    activity = torch.profiler.ProfilerActivity
    work = corenet.Step("corenet", "ours", size, widths, proof.device)
    work()
    with torch.profiler.profile(
        activities=[activity.CPU, activity.CUDA][: 1 + torch.cuda.is_available()]
    ) as seen:
        work()
    field = "self_device_time_total" if proof.device.type == "cuda" else "self_cpu_time_total"
    times = {event.key: getattr(event, field) / 1e3 for event in seen.key_averages()}
    return dict(sorted(times.items(), key=lambda item: -item[1])[:10])


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the median seconds of five runs after a first one, with synchronisation after each."""
    return statistics.median([corenet.timed_on(device, work)[0] for _ in range(6)][1:])
