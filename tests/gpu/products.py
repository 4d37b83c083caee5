"""Products of matrices of one training step at published size: shapes and strides on a pretended GPU, no numbers.

`python products.py GUARD OUT CONFIG …` writes by method and precision the floating-point operations of all products; of
those of which a GPU cannot read or write a matrix 16 bytes at a time, as they run on slower kernels; and their shapes.
"""

import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pretended

pretended.load(Path(sys.argv[1]))  # before torch

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils.flop_counter import flop_registry  # noqa: E402

from repose.config.load import load_files  # noqa: E402
from repose.mesh.spectrum import Surface  # noqa: E402
from repose.methods.build import build  # noqa: E402
from repose.methods.iepgan import encoder, generator, losses, stretch  # noqa: E402
from repose.methods.iepgan.discriminators import CooccurrenceDiscriminator, Discriminator  # noqa: E402
from repose.methods.layers.padding import padded  # noqa: E402
from repose.methods.layers.spectral import SpectralLinear  # noqa: E402
from repose.methods.losses import edge_loss, reconstruction  # noqa: E402
from repose.methods.mapconnet.consistency import labelled_loss, unlabelled_loss  # noqa: E402
from repose.methods.npr.neighbours import Neighbours  # noqa: E402
from repose.methods.xdualnet import network as xdualnet  # noqa: E402
from repose.methods.xdualnet.dual import dual_losses  # noqa: E402

VERTICES, FACES, EDGES = 6890, 13776, 20664
BYTES = 16
NARROW = 9  # numbers: of a vertex its place and normal, of a face its Jacobian
Loss = Callable[[], Tensor]


class Products(TorchDispatchMode):
    """Counts floating-point operations by product; of those that miss the alignment, too."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()  # by kind
        self.missed: Counter[str] = Counter()  # by product

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[1]
        packet = getattr(torch.ops.aten, name.rstrip("_")) if name.endswith("_") else func._overloadpacket
        if packet in flop_registry:
            flops = int(flop_registry[packet](*args, **(kwargs or {}), out_val=out))
            self.counts["all"] += flops
            wrong = [x for x in operands(name, args, out) if not aligned(name, x)]
            if wrong:
                narrow = all(min(x.shape[-2:]) <= NARROW for x in wrong)
                self.counts["narrow" if narrow else "wide"] += flops
                said = " ".join(f"{tuple(x.shape)}/{x.stride()}" for x in wrong)
                self.missed[f"{name} {str(wrong[0].dtype)[6:]} {said}"] += flops
        return out


def operands(name: str, args: Any, out: Any) -> list[Tensor]:
    """The factors of a product, and what it gives; of attention, features of tokens; of a convolution, the maps."""
    tensors = [x for x in args if isinstance(x, Tensor)]
    if "convolution" in name:
        return [x for x in tensors if x.ndim == 3]
    if "attention" in name:
        return [x for x in tensors if x.ndim == 4]
    summand = name.startswith(("addmm", "baddbmm"))  # it is copied to where the result comes to lie
    return [*tensors[summand:], out]


def aligned(name: str, x: Tensor) -> bool:
    """Whether every row, or every column, of each matrix starts at a multiple of 16 bytes; of a vector none need."""
    size = x.element_size()
    *batch, first, second = x.stride()
    if "convolution" in name:  # its kernels of width 1 read channels
        return x.shape[1] * size % BYTES == 0
    if min(x.shape[-2:]) == 1:
        return True
    leading = first if second == 1 else second if first == 1 else x.shape[-1]
    steps = [stride for stride, count in zip(batch, x.shape, strict=False) if count > 1]
    return all(step * size % BYTES == 0 for step in (x.storage_offset(), leading, *steps))


def attention(q: Tensor, k: Tensor, v: Tensor, *args: Any, **named: Any) -> Tensor:
    """By the kernel that a GPU takes for float32 and wide heads, which writes no matrix of scores."""
    return torch.ops.aten._scaled_dot_product_efficient_attention(q, k, v, None, True)[0]


def counted(make: Callable[[], Loss], bf16: bool) -> dict[str, Any]:
    """One step: `make` gives a function to the loss."""
    replaced = (
        (torch.cuda, "_lazy_init", lambda: None),
        (torch.cuda, "is_available", lambda: True),
        (torch.cuda, "is_bf16_supported", lambda *a, **k: True),
        (torch.cuda, "current_device", lambda: 0),
        (torch.cuda, "mem_get_info", lambda *a: (100 << 30, 100 << 30)),
        (torch.cuda, "memory_reserved", lambda *a: 0),
        (torch.cuda, "memory_allocated", lambda *a: 0),
        (torch.cuda.amp.common, "amp_definitely_not_available", lambda: False),
        (functional, "scaled_dot_product_attention", attention),
        (torch, "tensor", lambda data, **k: torch.zeros(np.shape(data))),
        (torch, "randperm", lambda count, **k: SimpleNamespace(numpy=lambda: np.arange(count))),
        (SpectralLinear, "settle", lambda layer: None),
        (encoder, "spacings_of", lambda x: torch.randn(len(x), 22)),
        (generator, "nearest", lambda a, b: torch.zeros(*a.shape[:2], 8, dtype=torch.long)),
        (stretch, "_Solve", SimpleNamespace(apply=lambda pull, near: pull * 1.0)),
        (xdualnet, "neighbourhoods", lambda x, k, _: torch.zeros(*x.shape[:2], k, dtype=torch.long)),
    )
    with ExitStack() as stack:
        for where, name, value in replaced:
            stack.enter_context(patch.object(where, name, value))
        stack.enter_context(FakeTensorMode())
        with torch.device("cuda"):
            loss_of = make()
            with Products() as products:
                with torch.autocast("cuda", torch.bfloat16, enabled=bf16):
                    loss = loss_of()
                loss.backward()
    return {**products.counts, "missed": dict(products.missed.most_common())}


def meshes(batch: int, count: int = 3) -> list[Tensor]:
    return [torch.randn(batch, VERTICES, 3) for _ in range(count)]


def edges() -> tuple[Tensor, Tensor]:
    return torch.randint(0, VERTICES, (EDGES, 2)), torch.rand(EDGES)


def pointers(batch: int, among: int, *shape: int) -> Tensor:
    return torch.randint(0, among, (batch, *shape))


def transfer(settings: Any) -> Loss:
    """NPT, CGT, 3D-CoreNet."""
    network = build(settings)
    identity, pose, truth = meshes(settings.training.batch)
    some = edges()

    def loss() -> Tensor:
        out = network(identity, pose).vertices
        return reconstruction(out, truth) + edge_loss(out, identity, *some)

    return loss


def mapconnet(settings: Any) -> Loss:
    network, given, some = build(settings), meshes(settings.training.batch), edges()
    if settings.training.unlabelled:
        return lambda: unlabelled_loss(network, *given, some, settings.training)
    return lambda: labelled_loss(network, *given, given[0], some, settings.training)


def xdual(settings: Any) -> Loss:
    network, given, some = build(settings), meshes(settings.training.batch, 2), edges()
    found = lambda: dual_losses(network, *given, some, settings.training)  # noqa: E731
    return lambda: torch.stack(list(found().values())).sum()


def iepgan(settings: Any) -> Loss:
    """Without what the host does, and the distances along patches, which are of float64."""
    t = settings.training
    network = build(settings)
    critic, other = Discriminator(t.discriminator_width), CooccurrenceDiscriminator(t.cooccurrence_width)
    (pose, identity), known = meshes(t.batch, 2), torch.randn(t.batch, 22)
    crops = torch.randn(4 * t.batch, t.patch_points, 3)
    references = torch.randn(4 * t.batch, t.references, t.patch_points, 3)

    def loss() -> Tensor:
        code, own = network.encoder.pose(pose, known), network.encoder.shape(pose, known)
        same = network.generator(code, own)
        out = network.generator(code, network.encoder.shape(identity, known))
        fake, real = torch.cat([same, out]), torch.cat([pose, identity])
        told = losses.real_fake_loss(critic(real), critic(fake))
        return (same - pose).abs().mean() + told + losses.fool_loss(other(crops, references))

    return loss


def npr(settings: Any) -> Loss:
    """Neighbours are known, and the Poisson equation, which is no product of networks, is left out."""
    network, b = build(settings), settings.training.batch
    field, points = torch.randn(b, FACES, 3, 3), torch.randn(b, FACES, 3)
    middle, ends = settings.middle, settings.keypoints
    near = Neighbours(
        *(pointers(b, FACES, FACES, 10), pointers(b, FACES, middle), pointers(b, FACES, middle, 16)),
        *(pointers(b, middle, middle, 16), pointers(b, middle, ends, 16), pointers(b, ends, ends, 16)),
    )
    return lambda: network.applier(network.extractor(field, points, near), points).square().mean()


def njf(settings: Any) -> Loss:
    """What the network sees of the faces is known."""
    network, b = build(settings), settings.training.batch
    seen = padded(torch.randn(b, FACES, 106), 2)
    network.templates, network.seen = SimpleNamespace(of=lambda *a: []), lambda *a: seen
    rests = SimpleNamespace(identity=None, identity_faces=None, pose=None, pose_faces=None)
    return lambda: network.field(seen, rests, []).square().mean()


def canonical(settings: Any) -> Loss:
    network, k = build(settings), settings.vibrations
    masses, values = torch.rand(VERTICES), torch.rand(k)
    surface = Surface(
        torch.randn(VERTICES, 3), torch.randn(VERTICES, 3), masses, values, torch.randn(VERTICES, k)
    )
    return lambda: network.placing(surface).square().mean()


def diffusion(settings: Any) -> Loss:
    network, b, count = build(settings), settings.training.batch, settings.npr.keypoints
    points, steps = torch.randn(b, count, 3), torch.randint(0, 1000, (b,))
    features = torch.randn(b, count, settings.npr.width)

    def loss() -> Tensor:
        first = network.keypoints(points, steps, network.given())
        second = network.features(features, steps, network.given(points))
        return first.square().mean() + second.square().mean()

    return loss


WORKS: dict[str, Callable[[Any], Loss]] = {
    **dict.fromkeys(("npt", "npt-original", "cgt", "corenet", "corenet-no-elain", "corenet-no-warp"), transfer),
    **dict.fromkeys(("mapconnet-supervised", "mapconnet-unsupervised"), mapconnet),
    "xdualnet": xdual, "iepgan": iepgan, "npr": npr, "njf": njf, "canonical": canonical, "npr-diffusion": diffusion,
}  # fmt: skip


def main() -> None:
    """See the module."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    methods = load_files(*map(Path, sys.argv[3:])).methods
    found = {
        name: {kind: counted(partial(make, methods[name]), kind == "bf16") for kind in ("fp32", "bf16")}
        for name, make in WORKS.items()
    }
    Path(sys.argv[2]).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
