"""How the released networks name and lay out their parameters, against ours.

Ours are linear maps (C_out, C_in); the released ones are convolutions (C_out, C_in, 1), or (C_out, C_in, 1, 1) of pairs
of vertices. The refiner's first layer has kernel 3 along the vertex index, (C, 3, 3): ours is (C, 9), its columns the
coordinates of the previous vertex, the vertex itself and the next. A spectrally normalised weight is stored by its raw
values and both singular vectors.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from repose.methods.build import create

Stems = Iterator[tuple[str, str]]  # our name of a layer, the released name

_PLAIN = {"weight": "weight", "bias": "bias"}
_SPECTRAL = {"weight": "weight_orig", "bias": "bias", "u": "weight_u", "v": "weight_v"}
_KERNEL_3 = "refinement.fc.weight"
_OF_PAIRS = "correspondence.feat_conv."


@dataclass(frozen=True)
class Layout:
    """One published system.

    Attributes:
        architecture: name of our module.
        files: what its release consists of, for messages.
        stems: pairs of layer names.
        settings: arguments of our network that the tensors' shapes decide.
    """

    architecture: str
    files: tuple[str, ...]
    stems: Callable[[nn.Module], Stems]
    settings: Callable[[Mapping[str, Tensor]], dict[str, Any]]

    def network(self, settings: Mapping[str, Any]) -> nn.Module:
        """Our network without values: only its names and shapes count."""
        with torch.device("meta"):
            return create(self.architecture, **settings)

    def keys(self, network: nn.Module) -> dict[str, str]:
        """Released key of every one of our keys."""
        stems = dict(self.stems(network))
        released = {}
        for key in network.state_dict():
            stem, leaf = key.rsplit(".", 1)
            leaves = _SPECTRAL if f"{stem}.u" in network.state_dict() else _PLAIN
            released[key] = f"{stems[stem]}.{leaves[leaf]}"
        return released


def released_shape(key: str, shape: torch.Size) -> torch.Size:
    """The shape that the release gives to our parameter `key` of this shape."""
    if key == _KERNEL_3 and shape[1] == 9:
        return torch.Size([shape[0], 3, 3])
    kernel = (1, 1) if key.startswith(_OF_PAIRS) else (1,)
    return torch.Size([*shape, *kernel]) if len(shape) == 2 else shape


def to_ours(key: str, released: Tensor) -> Tensor:
    """A released parameter in our layout."""
    if key == _KERNEL_3:
        # (C, coordinate, neighbour) to (C, neighbour, coordinate)
        return released.permute(0, 2, 1).reshape(len(released), 9)
    return released.flatten(1) if released.ndim > 2 else released


def _npt_stems(network: nn.Module) -> Stems:
    yield from (("encoder.0", "encoder.conv1"), ("encoder.1", "encoder.conv2"))
    yield from (("pose_feature", "encoder.conv3"), ("join", "decoder.conv1"))
    for i in range(3):
        yield f"following.{i}", f"decoder.conv{i + 2}"
        for ours, theirs in (("0", "1"), ("1", "2"), ("s", "_res")):
            block = f"decoder.spadain_block{i + 1}"
            yield f"blocks.{i}.conv_{ours}", f"{block}.conv{theirs}"
            yield f"blocks.{i}.norm_{ours}.gamma", f"{block}.spadain{theirs}.conv_weight"
            yield f"blocks.{i}.norm_{ours}.beta", f"{block}.spadain{theirs}.conv_bias"


def _corenet_stems(network: nn.Module) -> Stems:
    corr = "correspondence"
    for i in range(3):
        yield f"{corr}.adaptive_feature.{i}", f"adaptive_feature.layer{i + 1}"
    for i in range(len(network.get_submodule(f"{corr}.layer"))):  # type: ignore[arg-type]
        for part in ("conv1", "conv2", "prelu"):
            yield f"{corr}.layer.{i}.{part}", f"layer.{i}.{part}"
    yield from ((f"{corr}.theta", "theta"), (f"{corr}.phi", "phi"))
    yield from _generator_stems()


def _xdualnet_stems(network: nn.Module) -> Stems:
    for i in range(3):
        for k in (1, 2, 3):
            ours, theirs = f"{_OF_PAIRS}{i}", f"feat_conv{i + 1}"
            yield from ((f"{ours}.fc{k}", f"{theirs}.fc{k}"), (f"{ours}.norm{k}", f"{theirs}.bn{k}"))
    yield from _generator_stems()


def _generator_stems() -> Stems:
    """The generator of 3D-CoreNet, which those after it have, too."""
    refine = "refinement"
    yield from ((f"{refine}.fc", "fc"), (f"{refine}.conv1", "conv1"))
    for i in range(3):
        yield f"{refine}.following.{i}", f"conv{i + 2}"
        for part in ("0", "1", "s"):
            ours, theirs = f"{refine}.blocks.{i}", f"elain_block{i + 1}"
            yield f"{ours}.conv_{part}", f"{theirs}.conv_{part}"
            for mlp in ("mlp_same", "mlp_gamma", "mlp_beta", "mlp_weight"):
                yield f"{ours}.norm_{part}.{mlp}", f"{theirs}.norm_{part}.{mlp}"


def _npt_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"width": _channels(tensors, "encoder.conv3.weight", 1024)}


def _corenet_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    blocks = {key.split(".")[1] for key in tensors if key.startswith("layer.")}
    return {
        "width": _channels(tensors, "theta.weight", 256),
        "residual_blocks": len(blocks) or 4,
        "refine_width": _channels(tensors, "fc.weight", 1024),
        "faithful": True,
    }


def _mapconnet_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    key = "elain_block1.norm_0.mlp_same.weight"
    condition = tensors[key].shape[1] if key in tensors and tensors[key].ndim > 1 else 128
    return _corenet_settings(tensors) | {"identity_channels": condition}


def _xdualnet_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        "width": _channels(tensors, "feat_conv3.fc3.weight", 128),
        "refine_width": _channels(tensors, "fc.weight", 1024),
        "faithful": True,
    }


def _channels(tensors: Mapping[str, Tensor], key: str, published: int) -> int:
    return tensors[key].shape[0] if key in tensors and tensors[key].ndim else published


_PAIR = ("*_net_G.pth", "*_net_Corr.pth")

LAYOUTS = {
    "npt": Layout("npt", ("*.model",), _npt_stems, _npt_settings),
    "3d-corenet": Layout("corenet", _PAIR, _corenet_stems, _corenet_settings),
    # The same names: MAPConNet differs in how many features condition the generator.
    "mapconnet": Layout("mapconnet", _PAIR, _corenet_stems, _mapconnet_settings),
    "x-dualnet": Layout("xdualnet", _PAIR, _xdualnet_stems, _xdualnet_settings),
}
